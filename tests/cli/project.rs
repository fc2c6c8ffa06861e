//! A GitLab project in memory, whose CI configuration is read.

use std::sync::Arc;

use flyc::pipeline::Files;

/// Files by their paths.
pub(crate) struct Project(pub(crate) Vec<(String, String)>);

impl Files for Project {
    fn read(&self, path: &str) -> Result<Option<Arc<str>>, String> {
        Ok(self.0.iter().find(|(name, _)| name == path).map(|(_, text)| Arc::from(text.as_str())))
    }

    fn list(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}
