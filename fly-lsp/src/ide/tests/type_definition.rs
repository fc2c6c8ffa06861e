//! Where a thing's kind stands. Each test is a cursor in a text.

use super::*;

fn check(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    expected.assert_eq(&spans(&at, type_definition(&at.compiler, &at.path, at.offset)));
}

#[test]
fn of_what_things_are_made() {
    let egg = "egg \"web\" {\n  extends = profile.small\n\n  cloud {\n    region = var.region\n  }\n}\n";
    check(
        &in_nest(&egg.replace("var.reg", "var.re$0g")),
        expect![[r#"
        nest.fly:15: string
    "#]],
    );
    check(
        &in_nest(&egg.replace("\"web", "\"w$0eb")),
        expect![[r#"
        nest.fly:25: small
    "#]],
    );
    // From where an egg is named, too.
    check(
        &in_nest(egg).replace("[\"web\"", "[\"w$0eb\""),
        expect![[r#"
        nest.fly:25: small
    "#]],
    );
    // A profile that extends another is made after it; one that doesn't is itself all there is.
    check(
        &in_nest(&egg.replace("profile.small", "profile.sm$0all")),
        expect![[r#"
        nest.fly:25: small
    "#]],
    );
    let two = NEST.to_owned() + "`nest.fly`:\n";
    let two = two.replace(
        "profile \"small\" {",
        "profile \"large\" {\n  extends = profile.small\n}\n\nprofile \"small\" {",
    );
    let two = two.trim_end_matches("`nest.fly`:\n");
    check(
        &format!("{two}`Eggs/web/config.fly`:\negg \"web\" {{\n  extends = profile.la$0rge\n}}\n"),
        expect![[r#"
            nest.fly:29: small
        "#]],
    );
    check("egg \"a\" {\n  ty$0pe = \"vm\"\n}\n", expect![[""]]);
}
