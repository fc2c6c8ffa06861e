//! A writer that lets through what is not secret.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::Masker;

/// Makes writers of lines, each of which is masked as a whole.
#[derive(Debug)]
pub struct Masking<W> {
    masker: Arc<Masker>,
    inner: W,
}

impl<W> Masking<W> {
    /// Before another one.
    pub const fn new(masker: Arc<Masker>, inner: W) -> Self {
        Self { masker, inner }
    }
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Masking<W> {
    type Writer = Line<'w, W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Line { masker: &self.masker, text: Vec::new(), inner: self.inner.make_writer() }
    }

    fn make_writer_for(&'w self, metadata: &Metadata<'_>) -> Self::Writer {
        Line { masker: &self.masker, text: Vec::new(), inner: self.inner.make_writer_for(metadata) }
    }
}

/// A line: it is written once it is whole, so that nothing comes through in two halves.
#[derive(Debug)]
pub struct Line<'m, W: Write> {
    masker: &'m Masker,
    text: Vec<u8>,
    inner: W,
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<'_, W> {
    fn drop(&mut self) {
        let masked = self.masker.mask(&String::from_utf8_lossy(&self.text));
        // There is nobody to tell when it can't be said.
        let _ = self.inner.write_all(masked.as_bytes()).and_then(|()| self.inner.flush());
    }
}
