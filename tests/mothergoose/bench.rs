//! An installation as text, built, and `OpenTofu` to try it with. A cloud is one more [`Row`].

use std::fs;

use flyc::{
    artifact::{Components, Provider},
    build::{Build, Options},
    compiler::Compiler,
    diag::Severity,
    lower::Backend,
};
use polar_gosling_tests::tools;
use serde_json::Value;

use crate::bench::Bench;

/// One installation.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) provider: Provider,
    /// `MG/config.fly`
    pub(crate) fly: &'static str,
    /// What stands beside it, by its path from the Nest's root.
    pub(crate) assets: &'static [(&'static str, &'static str)],
    /// What whoever applies it has to say.
    pub(crate) variables: Value,
}

impl Row {
    /// The Nest, which has no errors.
    pub(crate) fn compiler(&self) -> Compiler {
        compiler(self.fly, self.assets)
    }

    /// The module on disk, in a folder of its own.
    pub(crate) fn bench(&self, components: Components) -> Option<Bench> {
        let bench = bench(self.provider)?;
        lay(&bench, build(&self.compiler(), components).files);
        set(&bench, &self.variables);
        Some(bench)
    }
}

pub(crate) fn compiler(fly: &str, assets: &[(&str, &str)]) -> Compiler {
    let mut compiler =
        Compiler::new([("nest.fly", "nest {\n  name = \"my-nest\"\n}\n"), ("MG/config.fly", fly)]);
    compiler.set_assets(assets.iter().map(|(path, text)| ((*path).into(), Ok((*text).into()))));
    let errors = compiler.check().into_iter().filter(|found| found.severity() == Severity::Error);
    assert_eq!(errors.map(|error| error.message).collect::<Vec<_>>(), Vec::<String>::new());
    compiler
}

pub(crate) fn build(compiler: &Compiler, components: Components) -> Build {
    compiler.build(&Options { backend: Some(Backend::Local), components: Some(components) }).unwrap()
}

/// A bench over an empty folder; none when `OpenTofu` or the fake cloud can't be had here.
pub(crate) fn bench(provider: Provider) -> Option<Bench> {
    let (tofu, fake_cloud) = (tools::tofu()?, tools::fake_cloud()?);
    let mut bench = Bench::over(&tofu, tempfile::tempdir().unwrap(), "").with_provider(&fake_cloud, provider);
    bench.egg = bench.folder.path().join("mothergoose");
    Some(bench)
}

/// Writes a build, in place of what was there of it.
pub(crate) fn lay(bench: &Bench, files: impl IntoIterator<Item = (String, String)>) {
    for (path, text) in files {
        let path = bench.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// What the module is told.
pub(crate) fn set(bench: &Bench, variables: &Value) {
    fs::write(bench.egg.join("installation.auto.tfvars.json"), variables.to_string()).unwrap();
}

/// `tofu init`, and that there is nothing a careful reader would complain of.
pub(crate) fn is_well_formed(bench: &Bench) {
    bench.tofu(&["fmt", "-check", "-diff", "-recursive"]);
    bench.tofu(&["init", "-input=false"]);
    let said: Value = serde_json::from_str(&bench.tofu(&["validate", "-json"])).unwrap();
    assert_eq!(said["diagnostics"], serde_json::json!([]), "{said:#}");
}

/// Whether a plan finds nothing to do.
pub(crate) fn is_settled(bench: &Bench) -> bool {
    let output = bench.try_tofu(&["plan", "-input=false", "-no-color", "-detailed-exitcode"]);
    match output.status.code() {
        Some(0) => true,
        Some(2) => false,
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}
