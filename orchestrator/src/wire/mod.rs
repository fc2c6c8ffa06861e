//! What goes over HTTP between `gosling serve`, the runners and the operator's commands: plain types, the same on both sides.
//! One file a subject. Never here: what is done with them.

pub mod eggs;
pub mod health;
pub mod link;
pub mod moment;
pub mod page;
pub mod plans;
pub mod problem;
pub mod queue;
pub mod runner;
pub mod runners;
pub mod secrets;
pub mod status;
pub mod webhook;
pub mod why;

pub use eggs::{
    EggStatus, EggSummary, EggView, GitlabView, RepositoryView, RolledBack, RotateRequest, RotationView,
};
pub use health::{Dependency, Health};
pub use link::{LinkChange, LinkReport, LinkStep, LinkedThing};
pub use moment::Moment;
pub use page::Page;
pub use plans::{PlanPreview, PlanView, RollbackRequest};
pub use problem::Problem;
pub use queue::{Accepted, DeadMessage, QueueCounts};
pub use runners::RunnerView;
pub use secrets::{SecretName, SecretValue, SecretVersionView, SecretWritten};
pub use status::{AuditView, Status, SyncView};
pub use webhook::{HookAnswer, HookOutcome};
pub use why::{JobView, WhyJob};

/// The header of every answer that says which version of gosling gives it.
pub const VERSION_HEADER: &str = "gosling-version";
