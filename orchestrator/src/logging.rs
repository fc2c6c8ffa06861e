//! How a process writes its log: to standard error, a line an event, for people or for machines.

use std::io;

use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The two forms of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// How the log is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logging {
    /// In which form.
    pub format: Format,
    /// How often `-v` was given.
    pub verbose: u8,
    /// What is logged, in the words of `tracing`'s filters; what it says counts more than `verbose`.
    pub filter: Option<String>,
    /// Whether colours are wanted.
    pub colour: bool,
}

impl Logging {
    /// The log as a layer that writes to `writer`; whoever has secrets gives one that masks them.
    pub fn layer<W>(&self, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
    where
        W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
    {
        let level = match self.verbose {
            0 => "warn,orchestrator=info,gosling=info,gitlab-runner=info",
            1 => "info,orchestrator=debug,gosling=debug,gitlab-runner=debug",
            _ => "debug,orchestrator=trace,gosling=trace,gitlab-runner=debug,h2=info,hyper=info",
        };
        let filter = self.filter.as_deref().filter(|filter| !filter.is_empty()).unwrap_or(level);
        let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(level));
        match self.format {
            Format::Human => {
                fmt::layer().with_writer(writer).with_ansi(self.colour).with_filter(filter).boxed()
            }
            Format::Json => {
                fmt::layer().json().flatten_event(true).with_writer(writer).with_filter(filter).boxed()
            }
        }
    }

    /// The log of a process begins. A second one in the same process has no effect.
    pub fn start(&self) {
        let _ = tracing_subscriber::registry().with(self.layer(io::stderr)).try_init();
    }
}
