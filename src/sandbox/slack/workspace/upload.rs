/// A file that the app shares.
#[derive(Clone, Debug)]
pub struct Upload {
    pub id: String,
    pub name: String,
    pub title: String,
    /// Promised before it came.
    pub length: usize,
    /// None: it didn't come yet.
    pub content: Option<Vec<u8>>,
    /// Whether `files.completeUploadExternal` was called.
    pub is_complete: bool,
}
