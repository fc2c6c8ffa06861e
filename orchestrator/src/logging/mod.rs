//! What `gosling` says while it runs: lines for people or JSON, on standard error, and no secret in any of them.
//!
//! What is a secret is told to [`hide`] by whoever gets it; every line, and every text that [`mask`] is asked for, is freed of
//! all that is known.

mod mask;
mod views;
mod writer;

use std::{
    io,
    sync::{Arc, LazyLock},
};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::ParseError, fmt::MakeWriter, layer::SubscriberExt,
};

pub use mask::Masker;
pub use writer::Masking;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// An object of JSON a line.
    Json,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is none.
    #[error("`{filter}` is no filter of log lines: {reason}; an example is `info,orchestrator=debug`")]
    Filter {
        /// What it was.
        filter: String,
        /// What is wrong with it.
        reason: ParseError,
    },
    /// There is somebody already.
    #[error("log lines go somewhere else already")]
    Twice,
}

static MASKER: LazyLock<Arc<Masker>> = LazyLock::new(Arc::default);

/// From now on this value is shown nowhere. One that is shorter than six characters is not hidden: it stands in too much
/// that is none.
pub fn hide(value: &str) {
    MASKER.hide(value);
}

/// The same of many values at once.
pub fn hide_all<'a>(values: impl IntoIterator<Item = &'a str>) {
    MASKER.hide_all(values);
}

/// A text without anything that is known to be secret, or looks like it.
pub fn mask(text: &str) -> String {
    MASKER.mask(text)
}

/// A text without any value that is known to be secret, or looks like it. URIs that lead to secrets stay: who asks what there is
/// has to be told.
pub fn mask_values(text: &str) -> String {
    MASKER.mask_values(text)
}

/// How a process says what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logging {
    /// In which form.
    pub format: Format,
    /// How often `-v` was given.
    pub verbose: u8,
    /// What is said, in the words of `tracing`'s filters; it counts more than `verbose`.
    pub filter: Option<String>,
    /// Whether colours are wanted.
    pub colour: bool,
}

impl Logging {
    /// The filter, in the words of `tracing`.
    fn filter(&self) -> &str {
        let level = match self.verbose {
            0 => "warn,orchestrator=info,gosling=info,gitlab-runner=info",
            1 => "info,orchestrator=debug,gosling=debug,gitlab-runner=debug",
            _ => "debug,orchestrator=trace,gosling=trace,gitlab-runner=debug,h2=info,hyper=info",
        };
        self.filter.as_deref().filter(|filter| !filter.is_empty()).unwrap_or(level)
    }

    /// Lines go to standard error from now on, without what is secret.
    ///
    /// # Errors
    ///
    /// When the filter is none, or lines go somewhere already.
    pub fn start(&self) -> Result<(), LoggingError> {
        let subscriber =
            subscriber(self.format, self.colour, self.filter(), Arc::clone(&MASKER), io::stderr)?;
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LoggingError::Twice)
    }
}

/// Lines go to a writer, without what a masker knows.
///
/// # Errors
///
/// When the filter is none.
pub fn subscriber<W>(
    format: Format,
    colours: bool,
    filter: &str,
    masker: Arc<Masker>,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, LoggingError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter)
        .map_err(|reason| LoggingError::Filter { filter: masker.mask(filter), reason })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(Masking::new(masker, writer));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        Format::Human => lines.with_ansi(colours).boxed(),
        Format::Json => lines.with_ansi(false).json().flatten_event(true).boxed(),
    };
    Ok(Registry::default().with(lines.with_filter(filter)))
}
