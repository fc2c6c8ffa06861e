//! Attributes of which exactly one is given, such as `project_id` and `group_id`.

use fly_std::schema::Constraint;

use super::FileScope;
use crate::diag::{Diagnostic, declare_diagnostic};

declare_diagnostic! { pub EXACTLY_ONE_OF = "exactly-one-of", Error, "attributes of which exactly one must be given" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for block in scope.all_blocks() {
        for constraint in block.schema.constraints {
            let names = match constraint {
                Constraint::ExactlyOneOf(names) => *names,
                Constraint::NotAbove(..) => continue,
            };
            let list = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
            let given: Vec<_> =
                block.attributes.iter().filter(|a| names.contains(&a.name.as_str())).collect();
            match given.as_slice() {
                [_] => {}
                [] if block.damaged || names.iter().any(|name| block.meant.contains(name)) => {}
                [] => {
                    let examples = names
                        .iter()
                        .filter_map(|name| block.schema.attribute(name))
                        .map(|attribute| format!("`{} = {}`", attribute.name, attribute.example))
                        .collect::<Vec<_>>();
                    diagnostics.push(
                        Diagnostic::new(
                            &EXACTLY_ONE_OF,
                            scope.span(block.header),
                            format!("`{}` wants one of {}, found none", block.name, list()),
                            "none of them in here",
                        )
                        .note(block.schema.doc)
                        .help(format!("add {}", examples.join(" or "))),
                    );
                }
                [first, others @ ..] => {
                    for other in others {
                        diagnostics.push(
                            Diagnostic::new(
                                &EXACTLY_ONE_OF,
                                scope.span(other.name_range),
                                format!("`{}` wants one of {}, found both", block.name, list()),
                                format!("`{}` is given already", first.name),
                            )
                            .note(block.schema.doc)
                            .related(scope.span(first.name_range), "the first of them")
                            .help("keep one of the two"),
                        );
                    }
                }
            }
        }
    }
}
