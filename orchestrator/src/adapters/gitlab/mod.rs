//! GitLab's REST API over HTTPS.
