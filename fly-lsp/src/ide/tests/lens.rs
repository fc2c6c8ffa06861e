//! What is shown above lines. Each test is a Nest and the lenses of one of its files.

use super::*;

fn check_lenses(text: &str, expected: Expect) {
    expected.assert_eq(&shown(text));
}

fn shown(text: &str) -> String {
    let at = Fixture::new(text);
    let (file, nest) = (at.text(), &at.compiler);
    list(lenses(nest, &at.path, NOW).into_iter().map(|lens| {
        let said = lens_text(nest, &at.path, &lens, NOW).unwrap();
        let line = file[..lens.range.start().into()].matches('\n').count() + 1;
        let places: Vec<_> = spans(&at, said.places).lines().map(str::to_owned).collect();
        format!("{line}: {}  →  [{}]", said.title, places.join(", "))
    }))
}

#[test]
fn eggs() {
    check_lenses(
        &in_nest("egg \"web\" {\n  type = \"vm\"$0\n}\n\negg \"alone\" {\n}\n\negg \"\" {\n}\n"),
        expect![[r#"
            1: ▶ what would this deploy?  →  []
            1: generated OpenTofu  →  []
            1: used by 2 conditions  →  [UF/config.fly:8: web, UF/config.fly:18: web]
            5: ▶ what would this deploy?  →  []
            5: generated OpenTofu  →  []
            5: used by no conditions  →  []
        "#]],
    );
    // Named twice in one condition is used by one condition.
    let nest = NEST.replace("egg == 'web' AND", "(egg == 'web' OR egg == 'web') AND");
    check_lenses(
        &format!("{nest}`Eggs/web/config.fly`:\negg \"web\" {{$0\n}}\n"),
        expect![[r#"
            1: ▶ what would this deploy?  →  []
            1: generated OpenTofu  →  []
            1: used by 2 conditions  →  [UF/config.fly:8: web, UF/config.fly:18: web, UF/config.fly:18: web]
        "#]],
    );
}

#[test]
fn what_all_files_use() {
    check_lenses(
        &in_nest("egg \"web\" {\n  extends = profile.small\n\n  cloud {\n    region = var.region\n  }\n\n  runner {\n    tags = local.tags\n  }\n}\n")
            .replacen("nest {", "nest {$0", 1),
        expect![[r#"
            11: 1 user  →  [Eggs/web/config.fly:9: tags]
            14: 1 user  →  [Eggs/web/config.fly:5: region]
            19: no users  →  []
            25: 1 user  →  [Eggs/web/config.fly:2: small]
        "#]],
    );
}

#[test]
fn jobs_and_the_installation() {
    check_lenses(
        "`Jobs/a.fly`:\njob \"a\" {$0\n  schedule = \"0 2 * * *\"\n  timezone = \"Asia/Tokyo\"\n  script   = \"true\"\n}\n",
        expect![[r#"
            1: generated OpenTofu  →  []
            1: next run Fri 2 Jan 02:00 (Asia/Tokyo)  →  []
        "#]],
    );
    check_lenses(
        "`MG/config.fly`:\nmothergoose {$0\n}\n",
        expect![[r#"
        1: generated OpenTofu  →  []
    "#]],
    );
}

#[test]
fn a_job_that_never_runs_has_no_next_run() {
    let without = "1: generated OpenTofu  →  []\n";
    for schedule in ["0 0 31 2 *", "@daily", "61 * * * *", ""] {
        let job = format!("`Jobs/a.fly`:\njob \"a\" {{$0\n  schedule = \"{schedule}\"\n}}\n");
        assert_eq!(shown(&job), without, "{schedule}");
    }
}

#[test]
fn a_lens_whose_block_has_gone_says_nothing() {
    let at = Fixture::new("egg \"a\" {$0\n}\n");
    let lens = Lens { range: TextRange::new(1.into(), 5.into()), kind: LensKind::Conditions };
    assert_eq!(lens_text(&at.compiler, &at.path, &lens, NOW), None);
}
