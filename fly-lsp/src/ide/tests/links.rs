//! What leads elsewhere. Each test is a text and the links in it.

use super::*;

fn check_links(at: &Fixture, expected: Expect) {
    let text = at.text();
    expected.assert_eq(&list(links(&at.compiler, &at.path).into_iter().map(|link| {
        let to = match link.target {
            LinkTarget::File(path) => path,
            LinkTarget::Page(address) => address,
        };
        format!("{}  →  {to}", &text[link.range])
    })));
}

#[test]
fn files_of_the_nest() {
    let text = r#"`Jobs/a.fly`:
job "a" {$0
  schedule = "0 2 * * *"
  script   = file("scripts/a.sh")
  timezone = file("../outside")

  environment {
    A = "${file("./scripts/b.sh")}"
    B = file("scripts/none.sh")
    C = file(local.x)
  }
}
"#;
    let mut at = Fixture::new(text);
    let content = |path: &str| match path {
        "scripts/none.sh" => Err(flyc::compiler::AssetError::Missing),
        _ => Ok("true".into()),
    };
    let assets: Vec<_> = at.compiler.reads().into_iter().map(|path| (path.clone(), content(&path))).collect();
    at.compiler.set_assets(assets);
    check_links(
        &at,
        expect![[r#"
        scripts/a.sh  →  scripts/a.sh
        ./scripts/b.sh  →  scripts/b.sh
    "#]],
    );
    check_links(
        &Fixture::new(
            "`MG/config.fly`:\nmothergoose {\n  api_gateway {\n    openapi_spec = \"api/openapi.yaml\"$0\n  }\n}\n",
        ),
        expect![[r#"
            api/openapi.yaml  →  MG/api/openapi.yaml
        "#]],
    );
}

#[test]
fn pages_on_the_web() {
    let text = r#"# See https://docs.example.com/a_(b)?x=1#y. And (http://example.com/c), <https://d.example>!
/// `https://e.example/f`
egg "a" {$0
  environment {
    A = "https://g.example:8443/h"
    B = "https://${local.host}/i"
    C = "git+https://k.example x://y https:// https://"
    D = <<-EOT
      curl https://l.example/m "https://n.example/${o}"
    EOT
  }
}
"#;
    check_links(
        &Fixture::new(text),
        expect![[r#"
        https://docs.example.com/a_(b)?x=1#y  →  https://docs.example.com/a_(b)?x=1#y
        http://example.com/c  →  http://example.com/c
        https://d.example  →  https://d.example
        https://e.example/f  →  https://e.example/f
        https://g.example:8443/h  →  https://g.example:8443/h
        https://l.example/m  →  https://l.example/m
    "#]],
    );
}
