//! `gosling power`: starts and stops what `OpenTofu` can't. What is asked; the clouds' own calls are adapters.

/// What is started or stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// An instance of Yandex Cloud.
    Instance {
        /// Its id.
        id: String,
    },
    /// A container of Yandex Cloud, and in it a runner.
    Container {
        /// Its id.
        id: String,
        /// The runner.
        runner: String,
    },
    /// A task of ECS.
    Task {
        /// Its cluster.
        cluster: String,
        /// Its runner.
        runner: String,
        /// What it is started from.
        definition: Option<String>,
    },
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was so already.
    Already,
    /// Nobody can do it from outside: the runner was told to end, and does so by itself.
    ByItself,
}
