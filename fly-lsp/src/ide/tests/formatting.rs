//! Formatting a part and while typing. Each test is a cursor in a text.

use super::*;

/// The text with the edits that follow from the character before the cursor.
fn check_typed(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let before = at.text()[..usize::from(at.offset)].chars().next_back().expect("something was typed");
    let edits = format_typed(&at.compiler, &at.path, at.offset, before);
    expected.assert_eq(&applied(&at.text(), &edits));
}

/// The text with its cursor's line formatted.
fn check_line(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let edits = format_range(&at.compiler, &at.path, TextRange::empty(at.offset));
    expected.assert_eq(&applied(&at.text(), &edits));
}

#[test]
fn a_brace_sets_its_block() {
    check_typed(
        "egg \"a\"   {\n type=\"vm\"\n   resources{\n cpu=2 # two\n memory   = 4GiB\n}$0\n}\n",
        expect![[r#"
            egg "a"   {
             type="vm"

              resources {
                cpu    = 2  # two
                memory = 4GiB
              }
            }
        "#]],
    );
    // What stands around is broken.
    check_typed(
        "egg \"b\" {\n  type =\n\negg \"a\" {\n  resources {\n   cpu=2\n      memory   = 4GiB\n  }$0\n",
        expect![[r#"
            egg "b" {
              type =

            egg "a" {
              resources {
                cpu    = 2
                memory = 4GiB
              }
        "#]],
    );
    // A value ends, and its attribute is set.
    check_typed(
        "locals {\n  sizes= {\n  a=1\n    bc   = 2\n}$0\n}\n",
        expect![[r#"
            locals {
              sizes = {
                a  = 1
                bc = 2
              }
            }
        "#]],
    );
    check_typed(
        "locals {\n  a = \"x}$0\"\n}\n",
        expect![[r#"
        locals {
          a = "x}"
        }
    "#]],
    );
}

#[test]
fn a_new_line_is_indented() {
    check_typed(
        "egg \"a\" {\n$0",
        expect![[r#"
        egg "a" {
          "#]],
    );
    check_typed(
        "egg \"a\" {\n  resources {\n$0\n  }\n}\n",
        expect![[r#"
        egg "a" {
          resources {
            
          }
        }
    "#]],
    );
    check_typed(
        "egg \"a\" {\n  resources {\n$0}\n}\n",
        expect![[r#"
        egg "a" {
          resources {
          }
        }
    "#]],
    );
    check_typed(
        "locals {\n  tags = [\n$0\n  ]\n}\n",
        expect![[r#"
        locals {
          tags = [
            
          ]
        }
    "#]],
    );
    // A heredoc is its author's.
    check_typed(
        "job \"a\" {\n  script = <<-EOT\n      make\n$0\n  EOT\n}\n",
        expect![[r#"
        job "a" {
          script = <<-EOT
              make

          EOT
        }
    "#]],
    );
}

#[test]
fn a_part_is_formatted_as_in_the_whole() {
    check_line(
        "egg   \"a\"   {\n  type=\"vm\"\n  resources {\n  cpu=2$0\n  memory   = 4GiB\n}\n}\n",
        expect![[r#"
            egg   "a"   {
              type="vm"
              resources {
                cpu    = 2
              memory   = 4GiB
            }
            }
        "#]],
    );
    check_line(
        "locals {\n  a=1\n  long=[1,2]$0\n}\nlocals }\n",
        expect![[r#"
            locals {
              a=1
              long = [1, 2]
            }
            locals }
        "#]],
    );
}

#[test]
fn lines_end_as_those_around_them() {
    let block = "egg \"a\" {\n resources{\n cpu=2 }$0\n  runner { tags=[\"a\",\"b\"]\n}\n}\n";
    // Once with nothing wrong, once with a mistake elsewhere.
    for text in [block.to_owned(), format!("egg \"b\" {{\n  type =\n}}\n{block}")] {
        let (unix, dos) = (Fixture::new(&text), Fixture::new(&text.replace('\n', "\r\n")));
        let typed = |at: &Fixture| {
            let edits = format_typed(&at.compiler, &at.path, at.offset, '}');
            assert!(!edits.is_empty());
            applied(&at.text(), &edits)
        };
        let part = |at: &Fixture| {
            applied(&at.text(), &format_range(&at.compiler, &at.path, TextRange::empty(at.offset)))
        };
        assert_eq!(typed(&dos), typed(&unix).replace('\n', "\r\n"));
        assert_eq!(part(&dos), part(&unix).replace('\n', "\r\n"));
    }
}
