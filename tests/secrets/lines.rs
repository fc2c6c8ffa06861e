//! No secret in any log line.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use orchestrator::logging::{Format, Masker, subscriber};
use proptest::{collection::vec, prelude::*};

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written of some events.
fn lines(format: Format, colours: bool, values: &[String], events: impl FnOnce()) -> String {
    let masker = Arc::new(Masker::default());
    values.iter().for_each(|value| masker.hide(value));
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = subscriber(format, colours, "trace", masker, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, events);
    let bytes = kept.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn lines_are_for_people_or_for_programs() {
    let event = || tracing::info!(egg = "web", uri = "vault://a/b", "token {}", "hunter22");
    let human = lines(Format::Human, false, &["hunter22".to_owned()], event);
    assert!(human.ends_with("token ***MASKED*** egg=\"web\" uri=\"vault://***MASKED***\"\n"), "{human}");
    let json = lines(Format::Json, false, &["hunter22".to_owned()], event);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["message"], "token ***MASKED***");
    assert_eq!(json["egg"], "web");
    assert_eq!(json["uri"], "vault://***MASKED***");
    let colours = lines(Format::Human, true, &[], event);
    assert!(colours.contains('\u{1b}'), "{colours}");
    assert!(subscriber(Format::Human, false, "=,=", Arc::default(), io::sink).is_err());
}

/// No value that is part of what lines have anyway: time, level, names, the mark itself.
fn value() -> impl Strategy<Value = String> {
    let any = "\\PC{6,40}".prop_filter("long enough", |value| value.chars().count() >= 6);
    let odd = "[a-z\"'\\\\\n\t%+/= \u{1b}\u{80}\u{e9}\u{1f511}]{6,30}";
    let token = "[A-Za-z0-9_-]{16,40}";
    prop_oneof![any, odd, token].prop_filter("distinct", |value| {
        let own = "before after field inner text ***MASKED***";
        !own.contains(value.as_str()) && value.chars().filter(|c| c.is_alphanumeric()).count() > 3
    })
}

#[derive(Debug, serde::Serialize)]
struct Shown<'a> {
    inner: &'a str,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Any secrets, in any text, in any field of an event, as a text, by `Debug` or within a document: no line has one, as
    /// it is or as its text would be read by who reads the line.
    #[test]
    fn property_4c_secret_masking_in_logs(
        values in vec(value(), 1..4),
        before in "[a-z \"{}é]{0,10}",
        after in "\\PC{0,10}",
        json in any::<bool>(),
        colours in any::<bool>(),
    ) {
        let format = if json { Format::Json } else { Format::Human };
        for value in &values {
            let text = format!("{before}{value}{after}");
            let shown = Shown { inner: &text };
            let document = serde_json::to_string(&shown).unwrap();
            let out = lines(format, colours, &values, || {
                let span = tracing::info_span!("inner", field = text.as_str());
                let _in = span.enter();
                tracing::info!("{text}");
                tracing::warn!(field = text.as_str(), "text");
                tracing::warn!(field = %text, "text");
                tracing::warn!(field = ?text, "text");
                tracing::warn!(field = ?shown, "text");
                tracing::warn!(field = document.as_str(), "text");
                tracing::warn!(field = ?document, "text");
            });
            let encoded = lines(format, colours, &values, || {
                let url: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                tracing::warn!("https://host/?text={url}");
                tracing::warn!("Basic {}", STANDARD.encode(format!("user:{value}")));
            });
            for value in &values {
                prop_assert!(!out.contains(value.as_str()), "{:?} in {}", value, out);
                let debug = format!("{value:?}");
                let quoted = serde_json::to_string(value).unwrap();
                let twice = serde_json::to_string(&debug).unwrap();
                for form in [&debug[1..debug.len() - 1], &quoted[1..quoted.len() - 1], &twice[3..twice.len() - 3]] {
                    prop_assert!(!out.contains(form), "{:?} in {}", form, out);
                }
            }
            let url: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            prop_assert!(!encoded.contains(&url), "{} in {}", url, encoded);
            let middle = STANDARD.encode(format!("user:{value}"));
            prop_assert!(!encoded.contains(&middle), "{} in {}", middle, encoded);
        }
    }
}
