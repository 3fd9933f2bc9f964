/// A user; the fields are Slack's own.
#[derive(Clone, Debug, Default)]
pub struct Member {
    pub team: String,
    /// As others see it.
    pub real_name: String,
    /// What the company knows of them.
    pub title: String,
    pub enterprise: Option<String>,
    pub deleted: bool,
    pub is_bot: bool,
    pub is_restricted: bool,
    pub is_ultra_restricted: bool,
    pub is_stranger: bool,
    pub email: Option<String>,
}

impl Member {
    /// What Slack shows of the user of that id.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        if self.real_name.is_empty() {
            id
        } else {
            &self.real_name
        }
    }
}
