//! Tests of what is made of `OpenTofu`'s complaints.

use super::*;

fn complaint(summary: &str, detail: &str) -> Complaint {
    Complaint {
        severity: Severity::Error,
        summary: summary.into(),
        detail: detail.into(),
        address: None,
        range: None,
        snippet: None,
    }
}

fn nowhere() -> Words {
    Words::new(PathBuf::from("/nowhere"), "eggs/a".into())
}

fn failure(summary: &str, detail: &str, secrets: &[Secret]) -> TofuError {
    let heard = Heard { complaints: vec![complaint(summary, detail)], ..Heard::default() };
    nowhere().failure("a", &heard, secrets)
}

#[test]
fn a_lock_is_read() {
    let detail = "Error message: resource temporarily unavailable\nLock Info:\n  ID:        1-2-3\n  Path:      /x\n  \
                  Operation: OperationTypeApply\n  Who:       root@vm\n  Version:   1.12.6\n  \
                  Created:   2026-11-22 00:26:57.7 +0000 UTC\n  Info:      \n\n\nmore";
    let TofuError::Locked { lock, .. } = failure("Error acquiring the state lock", detail, &[]) else {
        panic!()
    };
    assert_eq!(
        lock,
        FoundLock {
            id: "1-2-3".into(),
            who: "root@vm".into(),
            operation: "OperationTypeApply".into(),
            created: "2026-11-22 00:26:57.7 +0000 UTC".into()
        }
    );
}

#[test]
fn failures_are_told_apart() {
    assert!(matches!(failure("Saved plan is stale", "", &[]), TofuError::Stale { .. }));
    let transient = |summary: &str, detail: &str| match failure(summary, detail, &[]) {
        TofuError::Failed { transient, .. } => transient,
        other => panic!("{other}"),
    };
    assert!(transient("Error", "dial tcp: lookup ec2: no such host"));
    assert!(transient("operation error EC2: RunInstances", "api error RequestLimitExceeded: slow down"));
    assert!(!transient("local-exec provisioner error", "there is no program gosling"));
    let heard = Heard { ending: "signal: 9 (SIGKILL)".into(), ..Heard::default() };
    assert!(matches!(nowhere().failure("a", &heard, &[]), TofuError::Failed { transient: true, .. }));
}

#[test]
fn secrets_are_masked_however_they_are_written() {
    let key = "-----BEGIN KEY-----\nabcdefghijklmnop\n-----END KEY-----\n";
    let secrets = [Secret::new("tok"), Secret::new("token-1"), Secret::new("a\"b\\c"), Secret::new(key)];
    let text = "token-1 tok a\"b\\c a\\\"b\\\\c abcdefghijklmnop";
    assert_eq!(mask(text, &secrets), [MASKED; 5].join(" "));
    let TofuError::Failed { message, .. } = failure("Wrong", "it was token-1", &secrets) else { panic!() };
    assert!(!message.contains("token-1"), "{message}");
}

#[test]
fn a_blank_page_has_every_place() {
    let mapping = Mapping {
        address: "a".into(),
        generated_line: 1,
        generated_end: 1,
        file: "f".into(),
        line: 3,
        column: 5,
        end_line: 4,
        end_column: 2,
    };
    assert_eq!(blank([mapping].iter()), "\n\n     \n  \n");
}
