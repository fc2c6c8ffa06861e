//! Random tokens of every shape, and the texts that look most like one and are none.

use proptest::prelude::*;

use super::*;

/// Written in halves, so that nobody's scanner takes this file for a leak.
fn token(prefix: &str, rest: &str) -> String {
    [prefix, rest].concat()
}

#[test]
fn what_people_write_is_no_credential() {
    for text in [
        "",
        "docker",
        "glpat-",
        "glrt-linux",
        "glpat-<token>",
        "AKIA",
        "ASIATIC-FOOD",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_short",
        "eyJhbGciOiJIUzI1NiJ9",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY----- ... -----END PRIVATE KEY-----",
        "sed -n '/-----BEGIN RSA PRIVATE KEY-----/,/-----END/p' key.pem",
        "echo \"-----BEGIN RSA PRIVATE KEY-----\" > key.pem",
        "grep -q 'BEGIN RSA PRIVATE KEY' key.pem",
        "4930a3b9f1a7c0e2d5b8f6a4c3e1d09b8a7f6e5d",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "123e4567-e89b-12d3-a456-426614174000",
        "https://gitlab.com/api/v4/projects/12345/hooks/678",
        "registry.example.com/team/app:1.2.3-rc4",
        "yc-lockbox://e6q1a2b3c4d5e6f7g8h9/runner-token",
        "eyJsb2dfbGV2ZWwiOiJpbmZvIiwicG9ydCI6ODA4MCwiaG9zdCI6ImFwaSJ9",
        "VGhpcyBpcyBhIHNtYWxsIGNvbmZpZyBmaWxlIQ==",
        "bG9nX2xldmVsOiBpbmZvCnBvcnQ6IDgwODAKaG9z",
        "/usr/local/lib/python312/site-packages/X1",
        "ThisIsAVeryLongCamelCaseIdentifierName12",
        "s3://team-9-cache/A1b2/C3d4",
    ] {
        assert_eq!(find(text), [], "{text}");
        assert_eq!(find_assigned(text), [], "{text}");
        assert_eq!(mask(text), text);
    }
}

#[test]
fn a_shape_is_enough() {
    for (prefix, rest) in [
        ("glpat-", "xxxxxxxxxxxxxxxxxxxx"),
        ("glpat-", "abcdefghij1234567890"),
        ("glpat-", "abc123def456"),
        ("glrt-", "your-token-goes-here-please"),
        ("AKIA", "IOSFODNN7EXAMPLE"),
        ("-----BEGIN RSA PRIVATE", " KEY-----\nMIIEow..."),
        ("-----BEGIN PRIVATE", " KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----"),
    ] {
        let text = token(prefix, rest);
        assert_eq!(find(&text).len(), 1, "{text}");
    }
}

#[test]
fn names_alone_make_no_credential() {
    for (name, value) in [
        ("API_TOKEN", "changeme"),
        ("API_TOKEN", "<token>"),
        ("API_TOKEN", "${TOKEN}"),
        ("API_TOKEN", "my-app-production-token"),
        ("API_TOKEN", "123e4567-e89b-12d3-a456-426614174000"),
        ("API_TOKEN", "https://example.org/a1b2c3d4e5f6g7h8i9"),
        ("API_TOKEN", "vault://kv/a1b2c3d4e5f6g7h8i9j0/token"),
        ("CACHE_KEY", "a1B2c3D4e5F6g7H8i9J0"),
        ("BUILD_KEY", "4930a3b9f1a7c0e2d5b8f6a4c3e1d09b8a7f6e5d"),
        ("IMAGE_KEY", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("SSH_PUBLIC_KEY", "AAAAC3NzaC1lZDI1NTE5AAAAIJ1a2b3c4d5e6f"),
        ("SECRET_BACKEND", "yc-lockbox"),
        ("DB_PASSWORD", "postgres15"),
        ("STORAGE_KEY", "node-modules-v2-linux-amd64"),
        ("KMS_KEY", "arn:aws:kms:eu-central-1:123456789012:key/1a2b3c4d"),
        ("DOCKER_DRIVER", "a1B2c3D4e5F6g7H8i9J0"),
        ("TOKEN_PATH", "a1B2c3D4e5F6g7H8i9J0"),
        ("API_KEY", "/etc/keys/a1b2c3d4e5f6"),
    ] {
        assert!(!is_secret_value(name, value), "{name} = {value}");
    }
}

#[test]
fn names_and_random_values_do() {
    for (name, value) in [
        ("API_TOKEN", "a1B2c3D4e5F6g7H8i9J0"),
        ("API_KEY", "9f86d081884c7d659a2feaa0c55ad015"),
        ("DB_PASSWORD", "S3cr3tP4ss"),
        ("db-password", "tr0ub4dor-and-3"),
        ("CLIENT_SECRET", "Zm9vYmFyMTIzNDU2Nzg5MA=="),
    ] {
        assert!(is_secret_value(name, value), "{name} = {value}");
    }
    let text = "export API_TOKEN='a1B2c3D4e5F6g7H8i9J0'; x=1\n{\"password\": \"S3cr3tP4ss\"}";
    let found: Vec<_> = find_assigned(text).into_iter().map(|found| &text[found.range]).collect();
    assert_eq!(found, ["a1B2c3D4e5F6g7H8i9J0", "S3cr3tP4ss"]);
}

#[test]
fn the_exact_text_is_found() {
    let made = token("glpat-", "aB3dE6gH9jK2mN5pQ8sT");
    let text = format!("curl -H 'PRIVATE-TOKEN: {made}'. Then {made}.");
    let found = find(&text);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|credential| text[credential.range.clone()] == made));
    assert_eq!(mask(&text), "curl -H 'PRIVATE-TOKEN: ***MASKED***'. Then ***MASKED***.");
    let escaped = format!("a\\n{made}\\n");
    assert_eq!(find(&escaped).len(), 1);
}

/// A random token of any shape.
fn shaped_token() -> impl Strategy<Value = String> {
    let jwt = ("eyJ[A-Za-z0-9]{20}", "eyJ[A-Za-z0-9_-]{30}", "[A-Za-z0-9_-]{40}[A-Za-z0-9]")
        .prop_map(|(header, claims, signature)| format!("{header}.{claims}.{signature}"));
    let key = "[A-Za-z0-9+/]{64}".prop_map(|line| {
        let label = token("RSA PRIVATE", " KEY");
        format!("-----BEGIN {label}-----\n{line}\n{line}\n-----END {label}-----")
    });
    let aws = "[A-Za-z0-9+/]{36}"
        .prop_map(|body| format!("a1{body}9Z"))
        .prop_filter("a path", |word| word.matches('/').count() < 4 && entropy(word.as_bytes()) >= 4.2);
    let each: Vec<_> = SHAPES
        .iter()
        .filter(|shape| shape.prefix != "eyJ")
        .map(|shape| {
            let length = shape.length.0;
            let body = if shape.length.1 == 16 { "[A-Z0-9]" } else { "[A-Za-z0-9]" };
            let body = proptest::string::string_regex(&format!("{body}{{{length}}}")).unwrap();
            body.prop_map(|body| token(shape.prefix, &body)).boxed()
        })
        .chain([jwt.boxed(), key.boxed(), aws.boxed()])
        .collect();
    proptest::strategy::Union::new(each)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_token_is_found_wherever_it_stands(
        token in shaped_token(),
        before in "([a-z]{0,8}[ \"'=:(]|\\\\n)?",
        after in "([ \"'),;][a-z ]{0,8})?",
    ) {
        let text = format!("{before}{token}{after}");
        let found: Vec<_> = find(&text).into_iter().map(|credential| text[credential.range].to_owned()).collect();
        prop_assert_eq!(&found, std::slice::from_ref(&token), "{}", text);
        prop_assert!(!mask(&text).contains(&token));
    }

    #[test]
    fn random_values_under_secret_names_are_found(value in "([A-Za-z0-9]{2}[0-9][A-Za-z]){5,10}") {
        prop_assume!(!is_filler(&value));
        prop_assert!(is_secret_value("API_TOKEN", &value), "{value}");
    }

    #[test]
    fn words_are_no_credentials(words in prop::collection::vec("[a-z]{1,10}|[A-Z][a-z]{1,9}|[0-9]{1,4}", 0..6), joint in "[-_ ./:]") {
        let text = words.join(&joint);
        prop_assert_eq!(find(&text), []);
        prop_assert!(!is_secret_value("MY_TOKEN", &text), "{}", text);
    }

    #[test]
    fn ranges_are_slices(text in any::<String>()) {
        for credential in find(&text).into_iter().chain(find_assigned(&text)) {
            prop_assert!(text.get(credential.range).is_some());
        }
    }
}
