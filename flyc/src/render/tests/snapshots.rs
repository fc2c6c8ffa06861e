//! Snapshots: what each format looks like, and what holds for many findings.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};

use super::{BAD, ODD, OutputFormat, Report, boxes, print, render, sources, span, span_of};
use crate::diag::Diagnostic;

const EGG: &str = "egg \"my-app\" {\n  resources {\n    cpu    = 2\n    memory = \"4 gigs\"\n  }\n}\n";
const NEST: &str = "locals {\n  größe = \"4 gigs\"\n}\n";

/// A finding with everything, and a small one.
fn findings() -> Vec<Diagnostic> {
    vec![
        Diagnostic::new(
            &BAD,
            span_of("Eggs/my-app/config.fly", EGG, "\"4 gigs\""),
            "`memory` wants a size, found a string",
            "not a size",
        )
        .note("`memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB")
        .help("write `memory = 4GiB`")
        .related(span_of("nest.fly", NEST, "\"4 gigs\""), "the value came from `vault://ci/token`"),
        Diagnostic::new(
            &ODD,
            span_of("nest.fly", NEST, "größe"),
            "nobody uses `größe`, 100%\nof it: a, b <&> \u{1b}[0m",
            "",
        ),
    ]
}

fn check(format: OutputFormat, expected: &Expect) {
    let sources = sources(&[("Eggs/my-app/config.fly", EGG), ("nest.fly", NEST)]);
    expected.assert_eq(&print(format, &sources, &findings()));
}

#[test]
fn full() {
    check(
        OutputFormat::Full,
        &expect![[r#"
            error[type-mismatch]: `memory` wants a size, found a string
               ,-[ Eggs/my-app/config.fly:4:14 ]
             4 |     memory = "4 gigs"
               |              ^^^^|^^^
               |                  `----- not a size
               |
               |-[ nest.fly:2:11 ]
             2 |   größe = "4 gigs"
               |           ^^^^|^^^
               |               `----- the value came from `vault://***MASKED***`
               | note: `memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB
               | help: write `memory = 4GiB`
            ---' flyc explain type-mismatch

            warning[unused-local]: nobody uses `größe`, 100% of it: a, b <&> \u{1b}[0m
               ,-[ nest.fly:2:3 ]
             2 |   größe = "4 gigs"
               |   ^^|^^
               |     `---- here
            ---' flyc explain unused-local
        "#]],
    );
}

#[test]
fn full_in_boxes() {
    let sources = sources(&[("Eggs/my-app/config.fly", EGG), ("nest.fly", NEST)]);
    expect![[r#"
        error[type-mismatch]: `memory` wants a size, found a string
           ╭─[ Eggs/my-app/config.fly:4:14 ]
         4 │     memory = "4 gigs"
           │              ────┬───
           │                  ╰───── not a size
           │
           ├─[ nest.fly:2:11 ]
         2 │   größe = "4 gigs"
           │           ────┬───
           │               ╰───── the value came from `vault://***MASKED***`
           │ note: `memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB
           │ help: write `memory = 4GiB`
        ───╯ flyc explain type-mismatch

        warning[unused-local]: nobody uses `größe`, 100% of it: a, b <&> \u{1b}[0m
           ╭─[ nest.fly:2:3 ]
         2 │   größe = "4 gigs"
           │   ──┬──
           │     ╰──── here
        ───╯ flyc explain unused-local
    "#]]
    .assert_eq(&boxes(&sources, &findings()));
}

#[test]
fn full_in_colour() {
    let sources = sources(&[("Eggs/my-app/config.fly", EGG), ("nest.fly", NEST)]);
    let mut out = Vec::new();
    let report = Report { diagnostics: &findings()[1..], sources: &sources };
    render(OutputFormat::Full, &report, true, &mut out).expect("memory takes everything");
    let text = String::from_utf8(out).expect("output is UTF-8").replace('\u{1b}', "^");
    expect![[r#"
        ^[1;33mwarning[unused-local]^[0m: ^[1mnobody uses `größe`, 100% of it: a, b <&> \u{1b}[0m^[0m
           ^[38;5;246m╭^[0m^[38;5;246m─^[0m^[38;5;246m[^[0m nest.fly:2:3 ^[38;5;246m]^[0m
         ^[38;5;246m2 │^[0m ^[38;5;249m ^[0m^[38;5;249m ^[0m^[33mg^[0m^[33mr^[0m^[33mö^[0m^[33mß^[0m^[33me^[0m^[38;5;249m ^[0m^[38;5;249m=^[0m^[38;5;249m ^[0m^[38;5;249m"^[0m^[38;5;249m4^[0m^[38;5;249m ^[0m^[38;5;249mg^[0m^[38;5;249mi^[0m^[38;5;249mg^[0m^[38;5;249ms^[0m^[38;5;249m"^[0m
         ^[38;5;240m  │^[0m   ^[33m─^[0m^[33m─^[0m^[33m┬^[0m^[33m─^[0m^[33m─^[0m
         ^[38;5;240m  │^[0m     ^[33m╰^[0m^[33m─^[0m^[33m─^[0m^[33m─^[0m^[33m─^[0m here
        ^[38;5;246m───╯^[0m flyc explain unused-local
    "#]].assert_eq(&text);
}

#[test]
fn concise() {
    check(
        OutputFormat::Concise,
        &expect![[r#"
        Eggs/my-app/config.fly:4:14: error[type-mismatch] `memory` wants a size, found a string
        nest.fly:2:3: warning[unused-local] nobody uses `größe`, 100% of it: a, b <&> \u{1b}[0m
    "#]],
    );
}

#[test]
fn json() {
    check(
        OutputFormat::Json,
        &expect![[r#"
        [
          {
            "id": "type-mismatch",
            "severity": "error",
            "message": "`memory` wants a size, found a string",
            "file": "Eggs/my-app/config.fly",
            "start": {
              "line": 4,
              "column": 14,
              "offset": 57
            },
            "end": {
              "line": 4,
              "column": 22,
              "offset": 65
            },
            "help": "write `memory = 4GiB`",
            "notes": [
              "`memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB"
            ],
            "related": [
              {
                "message": "the value came from `vault://***MASKED***`",
                "file": "nest.fly",
                "start": {
                  "line": 2,
                  "column": 11,
                  "offset": 21
                },
                "end": {
                  "line": 2,
                  "column": 19,
                  "offset": 29
                }
              }
            ],
            "url": "https://polar-gosling.gitlab.io/reference/diagnostics/type-mismatch.html"
          },
          {
            "id": "unused-local",
            "severity": "warning",
            "message": "nobody uses `größe`, 100%\nof it: a, b <&> \u001b[0m",
            "file": "nest.fly",
            "start": {
              "line": 2,
              "column": 3,
              "offset": 11
            },
            "end": {
              "line": 2,
              "column": 8,
              "offset": 18
            },
            "notes": [],
            "related": [],
            "url": "https://polar-gosling.gitlab.io/reference/diagnostics/unused-local.html"
          }
        ]
    "#]],
    );
}

#[test]
fn jsonl() {
    check(
        OutputFormat::Jsonl,
        &expect![[r#"
        {"id":"type-mismatch","severity":"error","message":"`memory` wants a size, found a string","file":"Eggs/my-app/config.fly","start":{"line":4,"column":14,"offset":57},"end":{"line":4,"column":22,"offset":65},"help":"write `memory = 4GiB`","notes":["`memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB"],"related":[{"message":"the value came from `vault://***MASKED***`","file":"nest.fly","start":{"line":2,"column":11,"offset":21},"end":{"line":2,"column":19,"offset":29}}],"url":"https://polar-gosling.gitlab.io/reference/diagnostics/type-mismatch.html"}
        {"id":"unused-local","severity":"warning","message":"nobody uses `größe`, 100%\nof it: a, b <&> \u001b[0m","file":"nest.fly","start":{"line":2,"column":3,"offset":11},"end":{"line":2,"column":8,"offset":18},"notes":[],"related":[],"url":"https://polar-gosling.gitlab.io/reference/diagnostics/unused-local.html"}
    "#]],
    );
}

#[test]
fn gitlab() {
    check(
        OutputFormat::Gitlab,
        &expect![[r#"
        [
          {
            "description": "`memory` wants a size, found a string",
            "check_name": "type-mismatch",
            "fingerprint": "090903a101b7987ad734ca88617b9f5e",
            "severity": "major",
            "location": {
              "path": "Eggs/my-app/config.fly",
              "lines": {
                "begin": 4
              }
            }
          },
          {
            "description": "nobody uses `größe`, 100% of it: a, b <&> \\u{1b}[0m",
            "check_name": "unused-local",
            "fingerprint": "bea15085aa6ff7d97be93add4ba02ddd",
            "severity": "minor",
            "location": {
              "path": "nest.fly",
              "lines": {
                "begin": 2
              }
            }
          }
        ]
    "#]],
    );
}

#[test]
fn sarif() {
    check(
        OutputFormat::Sarif,
        &expect![[r##"
        {
          "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
          "version": "2.1.0",
          "runs": [
            {
              "tool": {
                "driver": {
                  "name": "flyc",
                  "version": "0.1.0",
                  "informationUri": "https://polar-gosling.gitlab.io",
                  "rules": [
                    {
                      "id": "type-mismatch",
                      "shortDescription": {
                        "text": "a value of another type"
                      },
                      "helpUri": "https://polar-gosling.gitlab.io/reference/diagnostics/type-mismatch.html",
                      "help": {
                        "text": "a value of another type",
                        "markdown": "# type-mismatch\n"
                      },
                      "defaultConfiguration": {
                        "level": "error"
                      }
                    },
                    {
                      "id": "unused-local",
                      "shortDescription": {
                        "text": "a local nobody uses"
                      },
                      "helpUri": "https://polar-gosling.gitlab.io/reference/diagnostics/unused-local.html",
                      "help": {
                        "text": "a local nobody uses",
                        "markdown": "# unused-local\n"
                      },
                      "defaultConfiguration": {
                        "level": "warning"
                      }
                    }
                  ]
                }
              },
              "columnKind": "unicodeCodePoints",
              "results": [
                {
                  "ruleId": "type-mismatch",
                  "ruleIndex": 0,
                  "level": "error",
                  "message": {
                    "text": "`memory` wants a size, found a string\nnote: `memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB\nhelp: write `memory = 4GiB`"
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "Eggs/my-app/config.fly"
                        },
                        "region": {
                          "startLine": 4,
                          "startColumn": 14,
                          "endLine": 4,
                          "endColumn": 22,
                          "byteOffset": 57,
                          "byteLength": 8
                        }
                      }
                    }
                  ],
                  "relatedLocations": [
                    {
                      "id": 0,
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "nest.fly"
                        },
                        "region": {
                          "startLine": 2,
                          "startColumn": 11,
                          "endLine": 2,
                          "endColumn": 19,
                          "byteOffset": 21,
                          "byteLength": 8
                        }
                      },
                      "message": {
                        "text": "the value came from `vault://***MASKED***`"
                      }
                    }
                  ],
                  "partialFingerprints": {
                    "flyc/v1": "090903a101b7987ad734ca88617b9f5e"
                  }
                },
                {
                  "ruleId": "unused-local",
                  "ruleIndex": 1,
                  "level": "warning",
                  "message": {
                    "text": "nobody uses `größe`, 100%\nof it: a, b <&> \u001b[0m"
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "nest.fly"
                        },
                        "region": {
                          "startLine": 2,
                          "startColumn": 3,
                          "endLine": 2,
                          "endColumn": 8,
                          "byteOffset": 11,
                          "byteLength": 7
                        }
                      }
                    }
                  ],
                  "partialFingerprints": {
                    "flyc/v1": "bea15085aa6ff7d97be93add4ba02ddd"
                  }
                }
              ]
            }
          ]
        }
    "##]],
    );
}

#[test]
fn junit() {
    check(
        OutputFormat::Junit,
        &expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="flyc" tests="2" failures="1" errors="0">
              <testsuite name="Eggs/my-app/config.fly" tests="1" failures="1" errors="0" skipped="0">
                <testcase name="type-mismatch: `memory` wants a size, found a string" classname="Eggs/my-app/config.fly" file="Eggs/my-app/config.fly" line="4">
                  <failure type="type-mismatch" message="`memory` wants a size, found a string">Eggs/my-app/config.fly:4:14: error[type-mismatch] `memory` wants a size, found a string&#10;note: `memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB&#10;help: write `memory = 4GiB`&#10;https://polar-gosling.gitlab.io/reference/diagnostics/type-mismatch.html</failure>
                </testcase>
              </testsuite>
              <testsuite name="nest.fly" tests="1" failures="0" errors="0" skipped="0">
                <testcase name="unused-local: nobody uses `größe`, 100% of it: a, b &lt;&amp;&gt; \u{1b}[0m" classname="nest.fly" file="nest.fly" line="2">
                  <system-out>nest.fly:2:3: warning[unused-local] nobody uses `größe`, 100% of it: a, b &lt;&amp;&gt; \u{1b}[0m&#10;https://polar-gosling.gitlab.io/reference/diagnostics/unused-local.html</system-out>
                </testcase>
              </testsuite>
            </testsuites>
        "#]],
    );
}

#[test]
fn github() {
    check(
        OutputFormat::Github,
        &expect![[r#"
        ::error file=Eggs/my-app/config.fly,line=4,col=14,endLine=4,endColumn=22,title=flyc type-mismatch::`memory` wants a size, found a string%0Anote: `memory` is what one runner gets: a whole number of MB, or a size from 512MiB to 4TiB%0Ahelp: write `memory = 4GiB`
        ::warning file=nest.fly,line=2,col=3,endLine=2,endColumn=8,title=flyc unused-local::nobody uses `größe`, 100%25%0Aof it: a, b <&> \u{1b}[0m
    "#]],
    );
}

#[test]
fn nothing_found() {
    let none = sources(&[]);
    assert_eq!(print(OutputFormat::Full, &none, &[]), "");
    assert_eq!(print(OutputFormat::Json, &none, &[]), "[]\n");
    assert_eq!(print(OutputFormat::Jsonl, &none, &[]), "");
    assert_eq!(print(OutputFormat::Gitlab, &none, &[]), "[]\n");
    assert!(print(OutputFormat::Junit, &none, &[]).contains("no findings"));
}

#[test]
fn fingerprints_do_not_move_with_their_lines_and_differ_for_equals() {
    let fingerprints = |text: &str| -> Vec<String> {
        let found: Vec<_> = text
            .match_indices("b = x")
            .map(|(start, part)| {
                Diagnostic::new(&BAD, span("a.fly", start + 4, start + part.len()), "wants an int", "")
            })
            .collect();
        let json = print(OutputFormat::Gitlab, &sources(&[("a.fly", text)]), &found);
        let issues: Vec<serde_json::Value> = serde_json::from_str(&json).expect("JSON");
        issues.iter().map(|issue| issue["fingerprint"].as_str().expect("text").to_owned()).collect()
    };
    let before = fingerprints("b = x\nb = x\n");
    assert_eq!(before.len(), 2);
    assert_ne!(before[0], before[1]);
    assert_eq!(before, fingerprints("# new\n\n  b = x\nc = 2\n\tb = x\r\n"));
}

#[test]
fn ten_thousand_findings_in_one_file_take_no_time() {
    let text = "some = \"thing\"\n".repeat(10_000);
    let sources = sources(&[("a.fly", &text)]);
    let first = span("a.fly", 0, 4);
    let found: Vec<_> = (0..10_000)
        .map(|line| {
            Diagnostic::new(&BAD, span("a.fly", line * 15, line * 15 + 4), "again", "again")
                .related(first.clone(), "first here")
        })
        .collect();
    for format in [OutputFormat::Full, OutputFormat::Json, OutputFormat::Sarif, OutputFormat::Junit] {
        assert!(print(format, &sources, &found).len() > 100_000);
    }
}
