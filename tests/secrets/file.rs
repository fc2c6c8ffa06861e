//! The sealed file.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use orchestrator::{
    adapters::secrets::{
        file::{KEPT, SEALED, SecretsFile},
        key::KeyError,
        open,
    },
    ports::{
        clock::Clock,
        secrets::{Secret, SecretError, Secrets},
    },
    seal::Seal,
};
use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;

use crate::{clock::Hand, uri};

fn opened(folder: &Path) -> Result<(Seal, SecretsFile), KeyError> {
    open(folder, None, Arc::new(Hand::new()))
}

fn file(folder: &Path) -> SecretsFile {
    opened(folder).unwrap().1
}

#[tokio::test]
async fn versions_come_and_go() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(Hand::new());
    let secrets = open(folder.path(), None, Arc::clone(&clock) as Arc<dyn Clock>).unwrap().1;
    let (one, other) = (uri("vault://a/b/c"), uri("yc-lockbox://a/b/c"));
    let missing = secrets.get(&one).await;
    assert!(matches!(missing, Err(SecretError::Missing { .. })), "{missing:?}");
    secrets.put(&other, &Secret::new("another backend's")).await.unwrap();
    for number in 1..=12_u64 {
        assert_eq!(secrets.put(&one, &Secret::new(format!("value {number}"))).await.unwrap(), number);
        clock.pass(Duration::from_secs(1));
    }
    assert_eq!(secrets.get(&one).await.unwrap().expose(), "value 12");
    assert_eq!(secrets.get_version(&one, 3).await.unwrap().expose(), "value 3");
    let gone = secrets.get_version(&one, 2).await;
    assert!(matches!(gone, Err(SecretError::Refused { .. })), "{gone:?}");
    let versions = secrets.versions(&one).await.unwrap();
    assert_eq!(versions.len(), KEPT);
    assert!(versions.iter().enumerate().all(|(at, one)| one.current == (at == 0)));
    assert!(versions.is_sorted_by(|one, next| one.version > next.version && one.made > next.made));
    secrets.remove(&one).await.unwrap();
    secrets.remove(&one).await.unwrap();
    assert!(matches!(secrets.get(&one).await, Err(SecretError::Missing { .. })));
    assert_eq!(secrets.get(&other).await.unwrap().expose(), "another backend's");
}

#[tokio::test]
async fn it_is_for_its_user_alone_and_shows_nothing() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let secrets = file(&data);
    secrets.put(&uri("vault://path/to/key"), &Secret::new("a value of some length")).await.unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    for name in ["key", SEALED, "secrets.lock"] {
        let file = data.join(name);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        let text = std::fs::read(&file).unwrap();
        for part in ["a value", "path/to", "vault"] {
            assert!(!text.windows(part.len()).any(|window| window == part.as_bytes()), "`{part}` in {name}");
        }
    }
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 3);
}

#[tokio::test]
async fn nothing_is_lost_by_a_wrong_key_or_a_damaged_file() {
    let folder = TempDir::new().unwrap();
    let (key, sealed) = (folder.path().join("key"), folder.path().join(SEALED));
    let place = uri("vault://a/b");
    let secrets = file(folder.path());
    secrets.put(&place, &Secret::new("the value")).await.unwrap();
    let (right_key, right) = (std::fs::read(&key).unwrap(), std::fs::read(&sealed).unwrap());

    // Another key.
    let elsewhere = TempDir::new().unwrap();
    drop(file(elsewhere.path()));
    let other = elsewhere.path().join("key");
    let refused = open(folder.path(), Some(&other), Arc::new(Hand::new()));
    assert!(matches!(refused, Err(KeyError::Other(_))), "{refused:?}");
    // None.
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(opened(folder.path()), Err(KeyError::Lost { .. })));
    assert!(!key.exists(), "no other one is made");
    let named = open(folder.path(), Some(&key), Arc::new(Hand::new()));
    assert!(matches!(named, Err(KeyError::NoKey(_))));
    // No key at all.
    for text in ["", "c2hvcnQ=", "not base64!"] {
        std::fs::write(&key, text).unwrap();
        assert!(matches!(opened(folder.path()), Err(KeyError::NoneSuch(_))), "{text}");
        assert_eq!(std::fs::read(&key).unwrap(), text.as_bytes());
    }
    std::fs::write(&key, &right_key).unwrap();
    // Any byte changed, any end cut.
    for at in 0..right.len() {
        let mut changed = right.clone();
        changed[at] ^= 1;
        for damaged in [&changed[..], &right[..at]] {
            std::fs::write(&sealed, damaged).unwrap();
            let refused = opened(folder.path());
            assert!(matches!(refused, Err(KeyError::Damaged { .. } | KeyError::Other(_))), "{refused:?}");
            // And while it runs.
            let read = secrets.get(&place).await;
            assert!(matches!(read, Err(SecretError::Refused { .. })), "{read:?}");
            assert_eq!(std::fs::read(&sealed).unwrap(), damaged, "it stays as it is");
        }
        if at % 16 == 0 {
            let written = secrets.put(&place, &Secret::new("new")).await;
            assert!(matches!(written, Err(SecretError::Refused { .. })), "{written:?}");
            assert_eq!(std::fs::read(&sealed).unwrap(), right[..at], "it stays as it is");
        }
    }
    std::fs::write(&sealed, &right).unwrap();
    assert_eq!(file(folder.path()).get(&place).await.unwrap().expose(), "the value");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        // One opened by itself, as by another process.
        let secrets = file(folder.path());
        writers.spawn(async move {
            for at in 0..5 {
                let value = Secret::new(format!("{writer}-{at}"));
                secrets.put(&uri(&format!("vault://a/{writer}")), &value).await.unwrap();
                secrets.put(&uri("vault://a/shared"), &value).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let secrets = file(folder.path());
    for writer in 0..8 {
        let value = secrets.get(&uri(&format!("vault://a/{writer}"))).await.unwrap();
        assert_eq!(value.expose(), format!("{writer}-4"));
    }
    assert_eq!(secrets.versions(&uri("vault://a/shared")).await.unwrap()[0].version, 40);
}

#[test]
fn the_seal_of_the_database_is_the_same_at_every_start_and_no_other_one() {
    let folder = TempDir::new().unwrap();
    let (one, other) = (opened(folder.path()).unwrap().0, opened(folder.path()).unwrap().0);
    let sealed = one.seal(b"text", "place").unwrap();
    assert_eq!(other.open(&sealed, "place").unwrap(), b"text");
    let elsewhere = TempDir::new().unwrap();
    assert!(opened(elsewhere.path()).unwrap().0.open(&sealed, "place").is_err());
    // The key file may stand elsewhere.
    let named = open(elsewhere.path(), Some(&folder.path().join("key")), Arc::new(Hand::new())).unwrap().0;
    assert_eq!(named.open(&sealed, "place").unwrap(), b"text");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Whatever is written is there at the next start.
    #[test]
    fn it_is_a_map(puts in vec((0_usize..4, any::<String>(), any::<bool>()), 1..8)) {
        let uris = ["vault://a/b", "vault://a/c", "aws-sm://a/b", "yc-lockbox://é/x/y"].map(uri);
        let folder = TempDir::new().unwrap();
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut model: BTreeMap<usize, String> = BTreeMap::new();
            for (which, value, stays) in puts {
                let secrets = file(folder.path());
                if stays {
                    secrets.put(&uris[which], &Secret::new(value.clone())).await.unwrap();
                    model.insert(which, value);
                } else {
                    secrets.remove(&uris[which]).await.unwrap();
                    model.remove(&which);
                }
                for (at, uri) in uris.iter().enumerate() {
                    let found = secrets.get(uri).await.ok().map(|found| found.expose().to_owned());
                    prop_assert_eq!(found.as_ref(), model.get(&at));
                }
            }
            Ok(())
        })?;
    }
}
