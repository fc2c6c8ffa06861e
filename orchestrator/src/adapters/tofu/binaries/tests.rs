//! Tests of what is fetched, against a small server of releases.

use std::{collections::BTreeMap, io::Write as _, net::SocketAddr};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::{adapters::store::sqlite::Sqlite, domain::Time, seal};

/// A clock that goes on by a second each time it is looked at.
#[derive(Default)]
struct Ticking(std::sync::atomic::AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Time {
        Time::from_millis(self.0.fetch_add(1000, std::sync::atomic::Ordering::SeqCst))
    }
}

/// A server of these files. `/secret/…` wants `authorization: Bearer s3cret`, `/header/…` wants `private-token: s3cret`,
/// `/moved/…` leads to the other server, `/cut/…` ends in the middle, `/open/…` wants no credential at all.
async fn server(files: BTreeMap<String, Vec<u8>>, elsewhere: Option<SocketAddr>) -> SocketAddr {
    let answer = move |uri: Uri, headers: HeaderMap| {
        let (_, way, name) = {
            let mut parts = uri.path().splitn(3, '/');
            let mut next = || parts.next().unwrap_or_default().to_owned();
            (next(), next(), next())
        };
        let has = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
        let credential = headers.contains_key("authorization") || headers.contains_key("private-token");
        let allowed = match way.as_str() {
            "secret" => has("authorization", "Bearer s3cret"),
            "token" => has("authorization", "token s3cret"),
            "header" | "moved" => has("private-token", "s3cret"),
            _ => !credential,
        };
        let file = files.get(&name).cloned();
        async move {
            match (way.as_str(), file, elsewhere) {
                _ if !allowed => StatusCode::FORBIDDEN.into_response(),
                ("moved", _, Some(to)) => {
                    Redirect::temporary(&format!("http://{to}/open/{name}?signature=s1gned")).into_response()
                }
                ("broken", ..) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                ("cut", Some(file), _) => {
                    let half = Bytes::copy_from_slice(&file[..file.len() / 2]);
                    let pieces = [Ok(half), Err(std::io::Error::other("cut off"))];
                    Response::new(Body::from_stream(futures_util::stream::iter(pieces)))
                }
                (_, Some(file), _) => file.into_response(),
                (_, None, _) => StatusCode::NOT_FOUND.into_response(),
            }
        }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

fn zipped(name: &str, text: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [("LICENSE", b"free".as_slice()), (name, text)] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn tarred(name: &str, text: &[u8]) -> Vec<u8> {
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(text.len()).unwrap());
    header.set_mode(0o644);
    archive.append_data(&mut header, format!("release/{name}"), text).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

struct Bench {
    folder: TempDir,
    files: BTreeMap<String, Vec<u8>>,
    address: SocketAddr,
    binaries: Binaries<TofuBinary>,
}

impl Bench {
    async fn new() -> Self {
        let mut files = BTreeMap::from([
            ("plain".to_owned(), b"the program itself".to_vec()),
            ("a.tar.gz".to_owned(), tarred("tofu", b"from a tar")),
            ("w.zip".to_owned(), zipped("tofu.exe", b"of windows")),
            ("none.zip".to_owned(), zipped("other", b"")),
            ("broken.zip".to_owned(), b"no archive".to_vec()),
        ]);
        for number in 1..=5 {
            files.insert(format!("{number}.zip"), zipped("tofu", format!("version {number}").as_bytes()));
        }
        let other = server(files.clone(), None).await;
        let address = server(files.clone(), Some(other)).await;
        let folder = TempDir::new().unwrap();
        let store = Sqlite::open(&folder.path().join("db"), flyc::compiler::tables()).unwrap();
        store.prepare().await.unwrap();
        let binaries = Binaries::new(folder.path(), Arc::new(store), Arc::new(Ticking::default()), 2);
        Self { folder, files, address, binaries }
    }

    fn release(&self, version: &str, way: &str, name: &str) -> Release {
        let auth = match way {
            "secret" => Auth::Bearer(Secret::new("s3cret")),
            "token" => Auth::Token(Secret::new("s3cret")),
            "header" | "moved" => Auth::Header { name: "private-token".into(), value: Secret::new("s3cret") },
            _ => Auth::None,
        };
        Release {
            version: version.to_owned(),
            url: format!("http://{}/{way}/{name}", self.address).parse().unwrap(),
            sha256: seal::hex(&Sha256::digest(self.files.get(name).unwrap_or(&Vec::new()))),
            auth,
            platform: Platform { os: "linux", arch: "amd64" },
        }
    }

    /// Whatever is there beside whole versions.
    fn halves(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("tofu_binary")).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with('.'))
            .collect()
    }
}

#[test]
fn platforms_have_the_names_of_releases() {
    let here = Platform::of("linux", "aarch64").unwrap();
    assert_eq!(
        here.opentofu("1.12.6"),
        "https://github.com/opentofu/opentofu/releases/download/v1.12.6/tofu_1.12.6_linux_arm64.zip"
    );
    let there = Platform::of("windows", "x86_64").unwrap();
    assert_eq!((there.arch, there.file("tofu").as_str()), ("amd64", "tofu.exe"));
    assert_eq!(Platform::of("linux", "riscv64"), None);
}

#[tokio::test]
async fn every_kind_of_release_and_credential_is_fetched() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new().await;
    for (version, way, name, text) in [
        ("1.0.0", "open", "plain", "the program itself"),
        ("1.0.1", "secret", "1.zip", "version 1"),
        ("1.0.2", "header", "a.tar.gz", "from a tar"),
        ("1.0.3", "moved", "2.zip", "version 2"),
        ("1.0.4", "token", "3.zip", "version 3"),
    ] {
        let program = bench.binaries.fetch(&bench.release(version, way, name)).await.unwrap();
        assert_eq!(program, bench.folder.path().join("tofu_binary").join(version).join("tofu"));
        assert_eq!(fs::read_to_string(&program).unwrap(), text);
        assert_eq!(program.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    }
    let mut windows = bench.release("1.0.5", "open", "w.zip");
    windows.platform = Platform { os: "windows", arch: "amd64" };
    assert!(bench.binaries.fetch(&windows).await.unwrap().ends_with("1.0.5/tofu.exe"));
    let rows = bench.binaries.versions().await.unwrap();
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| !row.active && !row.source.contains("s1gned")));
    assert_eq!(bench.halves(), [] as [&str; 0]);
}

#[tokio::test]
async fn what_goes_wrong_leaves_nothing() {
    let bench = Bench::new().await;
    let mut other = bench.release("2.0.0", "open", "1.zip");
    other.sha256 = "0".repeat(64);
    let refused = bench.binaries.fetch(&other).await.unwrap_err();
    assert!(matches!(refused, BinaryError::Digest { .. }), "{refused}");
    let error = async |way: &str, name: &str| {
        bench.binaries.fetch(&bench.release("2.0.0", way, name)).await.unwrap_err()
    };
    let transient = |error: BinaryError| match error {
        BinaryError::Fetch { transient, .. } => transient,
        other => panic!("{other}"),
    };
    assert!(transient(error("cut", "1.zip").await));
    assert!(transient(error("broken", "1.zip").await));
    assert!(!transient(error("open", "nothing.zip").await));
    for name in ["none.zip", "broken.zip"] {
        let found = error("open", name).await;
        assert!(matches!(found, BinaryError::Archive { .. }), "{found}");
    }
    let mut wrong = bench.release("2.0.0", "secret", "1.zip");
    wrong.auth = Auth::Bearer(Secret::new("wr0ng"));
    let told = format!("{:?}", bench.binaries.fetch(&wrong).await.unwrap_err());
    assert!(told.contains("403") && !told.contains("wr0ng"), "{told}");
    assert_eq!(bench.halves(), [] as [&str; 0]);
    assert_eq!(bench.binaries.program("2.0.0"), None);
    assert_eq!(bench.binaries.versions().await.unwrap(), []);
}

#[tokio::test]
async fn one_is_active_and_a_few_earlier_ones_stay() {
    let bench = Bench::new().await;
    assert_eq!(active::<TofuBinary>(bench.folder.path()), None);
    let missing = bench.binaries.activate("1.0.0").await.unwrap_err();
    assert!(matches!(missing, BinaryError::Missing { .. }), "{missing}");
    for number in 1..=5 {
        let version = format!("1.0.{number}");
        bench.binaries.fetch(&bench.release(&version, "open", &format!("{number}.zip"))).await.unwrap();
        let program = bench.binaries.activate(&version).await.unwrap();
        assert_eq!(active::<TofuBinary>(bench.folder.path()), Some(program));
    }
    let told = async || -> Vec<(String, bool)> {
        let rows = bench.binaries.versions().await.unwrap();
        rows.into_iter().map(|row| (row.version, row.active)).collect()
    };
    let expected =
        |active: &str| ["1.0.5", "1.0.4", "1.0.3"].map(|version| (version.to_owned(), version == active));
    assert_eq!(told().await, expected("1.0.5"));
    assert!(!bench.folder.path().join("tofu_binary/1.0.2").exists());
    // Back to an earlier one.
    bench.binaries.activate("1.0.3").await.unwrap();
    assert_eq!(told().await, expected("1.0.3"));
    let text = fs::read_to_string(active::<TofuBinary>(bench.folder.path()).unwrap()).unwrap();
    assert_eq!(text, "version 3");
}
