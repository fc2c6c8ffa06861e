//! A generated egg on disk, and `OpenTofu` to try it with.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use flyc::{
    artifact::{EggConfig, Origin, Origins, Provider},
    lower::{self, Options},
};
use polar_gosling_tests::tools::{self, FakeCloud};
use serde_json::Value;
use tempfile::TempDir;

/// A built egg in a folder of its own, with `OpenTofu` to try it.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) egg: PathBuf,
    tofu: PathBuf,
    pub(crate) environment: Vec<(&'static str, PathBuf)>,
    pub(crate) cloud: FakeCloud,
}

impl Bench {
    pub(crate) fn new(tofu: &Path, config: &EggConfig, options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = lower::egg(config, &origins(), options).unwrap();
        for (path, text) in files.into_iter().chain(lower::compute_module(config.cloud.provider)) {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self::over(tofu, folder, &config.name)
    }

    /// The same over a folder that holds a build.
    pub(crate) fn over(tofu: &Path, folder: TempDir, egg: &str) -> Self {
        let settings = folder.path().join("own.rc");
        fs::write(&settings, "disable_checkpoint = true\n").unwrap();
        let egg = folder.path().join("eggs").join(egg);
        let environment = vec![("TF_CLI_CONFIG_FILE", settings)];
        let cloud = FakeCloud::new(folder.path().join("cloud"));
        Self { folder, egg, tofu: tofu.into(), environment, cloud }
    }

    /// Puts the fake cloud where `OpenTofu` looks for the clouds' providers; a runner of this machine needs none.
    pub(crate) fn with_provider(self, fake_cloud: &Path, provider: Provider) -> Self {
        if provider == Provider::Local { self } else { self.with_clouds(fake_cloud) }
    }

    /// The same for a module of any cloud, or of several.
    pub(crate) fn with_clouds(mut self, fake_cloud: &Path) -> Self {
        let platform = match std::env::consts::ARCH {
            "aarch64" => "linux_arm64",
            _ => "linux_amd64",
        };
        let mirror = self.folder.path().join("mirror");
        for (namespace, name, version) in
            [("yandex-cloud", "yandex", "0.219.0"), ("hashicorp", "aws", "6.66.0")]
        {
            let registry = mirror.join("registry.opentofu.org");
            let place = registry.join(namespace).join(name).join(version).join(platform);
            fs::create_dir_all(&place).unwrap();
            symlink(fake_cloud, place.join(format!("terraform-provider-{name}_v{version}"))).unwrap();
        }
        let settings = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        );
        fs::write(self.folder.path().join("own.rc"), settings).unwrap();
        self.environment.push(("SCHEMA_JSON", tools::provider_schemas()));
        self.environment.push(("FAKE_CLOUD_DIR", self.cloud.folder().into()));
        self
    }

    /// `OpenTofu`, ready to start.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tofu);
        command
            .args(arguments)
            .current_dir(&self.egg)
            .env("TF_IN_AUTOMATION", "1")
            .env_remove("TF_PLUGIN_CACHE_DIR");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn try_tofu(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn tofu(&self, arguments: &[&str]) -> String {
        let output = self.try_tofu(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "tofu {arguments:?} in {}:\n{}\n{}",
            self.egg.display(),
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// What the orchestrator writes.
    pub(crate) fn set(&self, variables: &Value) {
        fs::write(self.egg.join("runners.auto.tfvars.json"), variables.to_string()).unwrap();
    }

    /// Makes everything as the variables say.
    pub(crate) fn apply(&self) -> String {
        self.tofu(&["apply", "-auto-approve", "-input=false", "-no-color"])
    }

    /// The next plan has nothing to do. It exits with 2 all the same where a check block has a data source of its own,
    /// since `OpenTofu` plans to read that each time.
    pub(crate) fn is_settled(&self) {
        let said = self.tofu(&["plan", "-input=false", "-no-color"]);
        let nothing =
            said.contains("No changes.") || said.contains("Plan: 0 to add, 0 to change, 0 to destroy.");
        assert!(nothing && !said.contains("Changes to Outputs"), "{said}");
    }

    /// Destroys everything, and nothing is left in the cloud.
    pub(crate) fn destroy(&self) {
        self.tofu(&["destroy", "-auto-approve", "-input=false", "-no-color"]);
        assert!(self.cloud.things().is_empty(), "{:#?}", self.cloud.things());
    }

    /// The plan, as `OpenTofu` tells it.
    pub(crate) fn plan(&self) -> Value {
        self.tofu(&["plan", "-no-color", "-input=false", "-out=plan.bin"]);
        serde_json::from_str(&self.tofu(&["show", "-json", "plan.bin"])).unwrap()
    }
}

/// An egg whose every part was written at its beginning.
pub(crate) fn origins() -> Origins {
    Origins::new(Origin { file: "Eggs/my-app/config.fly".into(), line: 1, column: 1 })
}

/// The resource changes of a plan by address: what is done, and the values after.
pub(crate) fn changes(plan: &Value) -> BTreeMap<String, (String, Value)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let done = |change: &Value| {
        change["change"]["actions"].as_array().unwrap().iter().map(text).collect::<Vec<_>>().join("+")
    };
    let all = plan["resource_changes"].as_array().unwrap().iter();
    all.filter(|change| change["mode"] == "managed")
        .map(|change| (text(&change["address"]), (done(change), change["change"]["after"].clone())))
        .collect()
}

/// What `OpenTofu` complains of, without its line breaks.
pub(crate) fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).replace('│', " ");
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn script(folder: &Path, body: &str) -> PathBuf {
    let path = folder.join("gosling");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}
