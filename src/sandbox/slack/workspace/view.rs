use serde_json::Value;

/// A modal or an App Home.
#[derive(Clone, Debug)]
pub struct View {
    pub id: String,
    /// Who sees it.
    pub user: String,
    pub is_open: bool,
    /// Of the view below it.
    pub previous: Option<String>,
    /// Changes with every update.
    pub hash: String,
    /// What it was and is, oldest first; never empty.
    pub versions: Vec<Value>,
}

impl View {
    pub fn now(&self) -> &Value {
        self.versions.last().expect("a view has a version")
    }
}
