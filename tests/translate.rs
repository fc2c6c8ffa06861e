//! What real `OpenTofu` complains of in a built egg, shown by the real `flyc` at the `.fly` line that caused it.
//!
//! The complaints are forced by providers whose schema is another than the one flyc writes for, by a Compute Module that
//! refuses an input, and by what an installation can get wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::needless_raw_string_hashes,
    reason = "this is a test"
)]

#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use bench::Bench;
use expect_test::{Expect, expect};
use flyc::{artifact::Provider, host, lower::Backend};
use polar_gosling_tests::{need, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

const EGG: &str = r#"# The shop's own runners.
egg "shop" {
  type = "vm"

  cloud {
    provider = "aws"
    region   = "eu-central-1"
    zone     = "eu-central-1a"
    image    = "debian-12"
  }

  resources {
    cpu    = 4
    memory = 8GiB
    disk   = 40GiB
  }

  runner {
    tags = ["docker"]
  }

  gitlab {
    project_id = 12345
  }
}
"#;

/// A Nest with one egg, and the egg built where `OpenTofu` can try it.
struct Shop {
    nest: TempDir,
    bench: Bench,
}

impl Shop {
    fn new(tofu: &Path, stand_in: &Path) -> Self {
        let nest = tempfile::tempdir().unwrap();
        fs::create_dir_all(nest.path().join("Eggs/shop")).unwrap();
        fs::write(nest.path().join("Eggs/shop/config.fly"), EGG).unwrap();
        let out = tempfile::tempdir().unwrap();
        let (_, built) = host::build_nest(nest.path(), out.path(), Some(Backend::Local));
        built.unwrap();
        let bench = Bench::over(tofu, out, "shop").with_provider(stand_in, Provider::Aws);
        bench.tofu(&["init", "-input=false"]);
        bench.set(&variables());
        Self { nest, bench }
    }

    /// The provider has another schema from now on.
    fn provider(&mut self, change: impl Fn(&mut Value)) {
        let text = fs::read_to_string(tools::provider_schemas().join("aws.json")).unwrap();
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        let provider = schema["provider_schemas"].as_object_mut().unwrap().values_mut().next().unwrap();
        change(provider);
        let file = self.bench.folder.path().join("schema.json");
        fs::write(&file, schema.to_string()).unwrap();
        self.bench.environment.push(("SCHEMA_JSON", file));
    }

    /// The egg's own file, changed.
    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.bench.folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// What `OpenTofu` says, translated; what it does meanwhile is left out.
    fn says(&self, tofu: &[&str], flyc: &[&str], expected: &Expect) {
        let said = self.bench.try_tofu(tofu).stdout;
        let mut child = Command::new(tools::flyc())
            .args(["translate", "--quiet", "--nest"])
            .arg(self.nest.path())
            .arg(&self.bench.egg)
            .args(flyc)
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&said).unwrap();
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stdout.contains("ticket-of-r-1") && !stderr.contains("ticket-of-r-1"), "no ticket is shown");
        let code = output.status.code().unwrap();
        expected.assert_eq(&format!("{stdout}{}exit {code}\n", stderr.trim_start()));
    }
}

fn variables() -> Value {
    json!({
        "runners": { "r-1": { "pool": "apex" }, "r-2": { "pool": "apex" } },
        "tickets": { "r-1": "ticket-of-r-1" },
        "orchestrator_url": "https://gosling.example.com",
        "subnet_id": "subnet-given",
        "gosling_download": { "url": "https://gosling.example.com/gosling", "sha256": "0".repeat(64) },
    })
}

fn instance(provider: &mut Value) -> &mut Value {
    &mut provider["resource_schemas"]["aws_instance"]["block"]
}

const VALIDATE: &[&str] = &["validate", "-json"];
const PLAN: &[&str] = &["plan", "-json", "-input=false"];

#[test]
fn an_attribute_that_the_provider_refuses() {
    let mut shop = Shop::new(&need!(tools::tofu()), &need!(tools::fake_cloud()));
    shop.provider(|provider| {
        instance(provider)["attributes"].as_object_mut().unwrap().remove("instance_type");
    });
    shop.says(
        VALIDATE,
        &[],
        &expect![[r#"
        error[tofu-error]: Unsupported argument: An argument named "instance_type" is not expected here
            ,-[ Eggs/shop/config.fly:12:3 ]
         12 |   resources {
            |   ^^^^|^^^^
            |       `------ `instance_type` comes from here
            | note: OpenTofu stopped at compute-module/aws/main.tf:20:3, in resource "aws_instance" "runner":
            |         instance_type = var.instance_type
        ----' flyc explain tofu-error
        OpenTofu: 1 error
        exit 1
    "#]],
    );
    // A value of the wrong kind is found when the runners are known, once for each.
    shop.provider(|provider| instance(provider)["attributes"]["instance_type"]["type"] = json!("number"));
    shop.says(PLAN, &["--output-format", "concise"], &expect![[r#"
        Eggs/shop/config.fly:12:3: error[tofu-error] Incorrect attribute value type: Inappropriate value for attribute "instance_type": a number is required
        OpenTofu: 1 error
        exit 1
    "#]]);
    // What a provider block is given.
    shop.provider(|provider| {
        provider["provider"]["block"]["attributes"].as_object_mut().unwrap().remove("region");
    });
    shop.says(
        VALIDATE,
        &[],
        &expect![[r#"
        error[tofu-error]: Unsupported argument: An argument named "region" is not expected here
           ,-[ Eggs/shop/config.fly:7:5 ]
         7 |     region   = "eu-central-1"
           |     ^^^^^^^^^^^^|^^^^^^^^^^^^
           |                 `-------------- `region` comes from here
           | note: OpenTofu stopped at eggs/shop/providers.tf:5:3, in provider "aws":
           |         region = "eu-central-1"
        ---' flyc explain tofu-error
        OpenTofu: 1 error
        exit 1
    "#]],
    );
}

#[test]
fn a_block_that_the_provider_refuses() {
    let mut shop = Shop::new(&need!(tools::tofu()), &need!(tools::fake_cloud()));
    shop.provider(|provider| {
        instance(provider)["block_types"].as_object_mut().unwrap().remove("root_block_device");
    });
    shop.says(
        VALIDATE,
        &[],
        &expect![[r#"
        error[tofu-error]: Unsupported block type: Blocks of type "root_block_device" are not expected here
            ,-[ Eggs/shop/config.fly:15:5 ]
         15 |     disk   = 40GiB
            |     ^^^^^^^|^^^^^^
            |            `-------- `disk_size` comes from here
            | note: OpenTofu stopped at compute-module/aws/main.tf:41:3, in resource "aws_instance" "runner":
            |         root_block_device {
        ----' flyc explain tofu-error
        OpenTofu: 1 error
        exit 1
    "#]],
    );
    // One in the egg's own module.
    shop.provider(|provider| {
        let block = &mut provider["data_source_schemas"]["aws_ami"]["block"];
        block["block_types"].as_object_mut().unwrap().remove("filter");
    });
    shop.says(VALIDATE, &["--output-format", "concise"], &expect![[r#"
        Eggs/shop/config.fly:9:5: error[tofu-error] Unsupported block type: Blocks of type "filter" are not expected here
        Eggs/shop/config.fly:9:5: error[tofu-error] Unsupported block type: Blocks of type "filter" are not expected here
        Eggs/shop/config.fly:9:5: error[tofu-error] Unsupported block type: Blocks of type "filter" are not expected here
        OpenTofu: 3 errors
        exit 1
    "#]]);
    // One that no line of the egg is the cause of.
    shop.provider(|provider| {
        instance(provider)["attributes"]["host"] = json!({ "type": "string", "required": true });
    });
    shop.says(VALIDATE, &[], &expect![[r#"
        error[tofu-error]: Missing required argument: The argument "host" is required, but no definition was found
           ,-[ Eggs/shop/config.fly:2:1 ]
         2 | egg "shop" {
           | ^^^^^|^^^^
           |      `------ in what is built from this egg
           | note: OpenTofu stopped at compute-module/aws/main.tf:18:34, in resource "aws_instance" "runner":
           |         resource "aws_instance" "runner" {
        ---' flyc explain tofu-error
        OpenTofu: 1 error
        exit 1
    "#]]);
}

#[test]
fn an_input_that_the_compute_module_refuses() {
    let shop = Shop::new(&need!(tools::tofu()), &need!(tools::fake_cloud()));
    let variables = "compute-module/aws/variables.tf";
    let disk = "variable \"disk_size\" {\n";
    let larger = "  validation {\n    condition     = var.disk_size >= 100\n    error_message = \"Disks here have 100 GiB or more.\"\n  }\n\n";
    shop.change(variables, disk, &format!("{disk}{larger}"));
    shop.says(
        VALIDATE,
        &[],
        &expect![[r#"
            error[tofu-error]: Invalid value for variable: Disks here have 100 GiB or more
                ,-[ Eggs/shop/config.fly:15:5 ]
             15 |     disk   = 40GiB
                |     ^^^^^^^|^^^^^^
                |            `-------- `disk_size` comes from here
                | note: This was checked by the validation rule at ../../compute-module/aws/variables.tf:60,3-13.
                | note: OpenTofu stopped at eggs/shop/resources.tf:18:19, in module "runner":
                |         disk_size     = 40
                |         where var.disk_size is 40
            ----' flyc explain tofu-error
            OpenTofu: 1 error
            exit 1
        "#]],
    );
    shop.change(variables, larger, "");
    shop.change(variables, "type        = number", "type        = list(number)");
    shop.says(VALIDATE, &[], &expect![[r#"
        error[tofu-error]: Invalid value for input variable
            ,-[ Eggs/shop/config.fly:15:5 ]
         15 |     disk   = 40GiB
            |     ^^^^^^^|^^^^^^
            |            `-------- `disk_size` comes from here
            | note: The given value is not suitable for module.runner.var.disk_size declared at ../../compute-module/aws/variables.tf:59,1-21: list of number required, but have number.
            | note: OpenTofu stopped at compute-module/aws/variables.tf:59:1:
            |         variable "disk_size" {
        ----' flyc explain tofu-error
        OpenTofu: 1 error
        exit 1
    "#]]);
}

#[test]
fn what_the_installation_got_wrong() {
    let shop = Shop::new(&need!(tools::tofu()), &need!(tools::fake_cloud()));
    let mut wrong = variables();
    wrong["runners"] = json!({ "R_1": { "pool": "apex" } });
    wrong.as_object_mut().unwrap().remove("orchestrator_url");
    shop.bench.set(&wrong);
    shop.says(PLAN, &[], &expect![[r#"
        error[tofu-error]: No value for required variable
           ,-[ Eggs/shop/config.fly:2:1 ]
         2 | egg "shop" {
           | ^^^^^|^^^^
           |      `------ in what is built from this egg
           | note: no line of the egg gives `var.orchestrator_url`: the installation does, or flyc itself
           | note: The root module input variable "orchestrator_url" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.
           | note: OpenTofu stopped at eggs/shop/variables.tf:38:1:
           |         variable "orchestrator_url" {
        ---' flyc explain tofu-error
        OpenTofu: 1 error
        exit 1
    "#]]);
    // Broken in the line of the tickets.
    fs::write(shop.bench.egg.join("runners.auto.tfvars.json"), "{\"tickets\": {\"r-1\": \"ticket-of-r-1}\n")
        .unwrap();
    shop.says(PLAN, &["--output-format", "concise"], &expect![[r#"
        Eggs/shop/config.fly:2:1: error[tofu-error] Invalid JSON string: There is a syntax error in the given JSON string
        Eggs/shop/config.fly:2:1: error[tofu-error] Root value must be object: The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects
        Eggs/shop/config.fly:2:1: error[tofu-error] Unclosed object: No closing brace was found for this JSON object
        Eggs/shop/config.fly:2:1: error[tofu-error] Unclosed object: No closing brace was found for this JSON object
        OpenTofu: 4 errors
        exit 1
    "#]]);
    // Text that is no OpenTofu, in a file that somebody put there and in one that was built.
    shop.bench.set(&variables());
    fs::write(shop.bench.egg.join("own.tf"), "module \"own\" {\n").unwrap();
    shop.change("eggs/shop/providers.tf", "region = \"", "region = ");
    shop.says(VALIDATE, &[], &expect![[r#"
        error[tofu-error]: Missing required argument: The argument "source" is required, but no definition was found
           ,-[ Eggs/shop/config.fly:2:1 ]
         2 | egg "shop" {
           | ^^^^^|^^^^
           |      `------ in what is built from this egg
           | note: OpenTofu stopped at own.tf:1:14, which `flyc build` did not write
        ---' flyc explain tofu-error

        error[tofu-error]: Unclosed configuration block: There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file
           ,-[ Eggs/shop/config.fly:2:1 ]
         2 | egg "shop" {
           | ^^^^^|^^^^
           |      `------ in what is built from this egg
           | note: OpenTofu stopped at own.tf:1:14, which `flyc build` did not write
        ---' flyc explain tofu-error

        error[tofu-error]: Invalid multi-line string
           ,-[ Eggs/shop/config.fly:5:3 ]
         5 |   cloud {
           |   ^^|^^
           |     `---- `provider.aws` comes from here
           | note: Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \n escape to represent a newline character or use the "heredoc" multi-line template syntax.
           | note: OpenTofu stopped at eggs/shop/providers.tf:6:2, in provider "aws":
           |         }
        ---' flyc explain tofu-error

        error[tofu-error]: Invalid multi-line string
           ,-[ Eggs/shop/config.fly:7:5 ]
         7 |     region   = "eu-central-1"
           |     ^^^^^^^^^^^^|^^^^^^^^^^^^
           |                 `-------------- `region` comes from here
           | note: Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \n escape to represent a newline character or use the "heredoc" multi-line template syntax.
           | note: OpenTofu stopped at eggs/shop/providers.tf:5:25, in provider "aws":
           |         region = eu-central-1"
        ---' flyc explain tofu-error

        error[tofu-error]: Missing newline after argument: An argument definition must end with a newline
           ,-[ Eggs/shop/config.fly:7:5 ]
         7 |     region   = "eu-central-1"
           |     ^^^^^^^^^^^^|^^^^^^^^^^^^
           |                 `-------------- `region` comes from here
           | note: OpenTofu stopped at eggs/shop/providers.tf:5:24, in provider "aws":
           |         region = eu-central-1"
        ---' flyc explain tofu-error
        OpenTofu: 5 errors
        exit 1
    "#]]);
}

#[test]
fn what_a_check_finds_is_a_warning() {
    let shop = Shop::new(&need!(tools::tofu()), &need!(tools::fake_cloud()));
    let subnet = json!({ "id": "subnet-given", "state": "pending", "availability_zone": "eu-central-1b" });
    shop.bench.cloud.put("aws_subnet", "subnet-given", &subnet);
    shop.says(PLAN, &[], &expect![[r#"
        warning[tofu-warning]: Check block assertion known after apply: The condition could not be evaluated at this time, a result will be known when this plan is applied
           ,-[ Eggs/shop/config.fly:2:1 ]
         2 | egg "shop" {
           | ^^^^^|^^^^
           |      `------ in what is built from this egg
           | note: no line of the egg gives `pool`: the installation does, or flyc itself
           | note: OpenTofu stopped at compute-module/aws/checks.tf:8:21, in check "instance":
           |         condition     = data.aws_instance.runner.instance_state == local.power
           |         where data.aws_instance.runner.instance_state is a string
           |         where local.power is "running"
           | note: OpenTofu says so 2 times, once for each runner it is true of
        ---' flyc explain tofu-warning

        warning[tofu-warning]: Check block assertion failed: The subnet subnet-given can't be used now
           ,-[ Eggs/shop/config.fly:5:3 ]
         5 |   cloud {
           |   ^^|^^
           |     `---- `check.network` comes from here
           | note: OpenTofu stopped at eggs/shop/checks.tf:11:21, in check "network":
           |         condition     = data.aws_subnet.runner.state == "available"
           |         where data.aws_subnet.runner.state is "pending"
        ---' flyc explain tofu-warning

        warning[tofu-warning]: Check block assertion failed: The subnet subnet-given is not in the egg's zone
           ,-[ Eggs/shop/config.fly:8:5 ]
         8 |     zone     = "eu-central-1a"
           |     ^^^^^^^^^^^^^|^^^^^^^^^^^^
           |                  `-------------- `check.network.assert` comes from here
           | note: OpenTofu stopped at eggs/shop/checks.tf:16:21, in check "network":
           |         condition     = data.aws_subnet.runner.availability_zone == "eu-central-1a"
           |         where data.aws_subnet.runner.availability_zone is "eu-central-1b"
        ---' flyc explain tofu-warning
        OpenTofu: 3 warnings
        exit 0
    "#]]);
    fs::write(shop.nest.path().join("Eggs/shop/config.fly"), EGG.replace("zone", "# Moved.\n    zone"))
        .unwrap();
    shop.says(PLAN, &["--output-format", "concise", "--error-on-warning"], &expect![[r#"
        Eggs/shop/config.fly:2:1: warning[tofu-warning] Check block assertion known after apply: The condition could not be evaluated at this time, a result will be known when this plan is applied
        Eggs/shop/config.fly:5:3: warning[tofu-warning] Check block assertion failed: The subnet subnet-given can't be used now
        Eggs/shop/config.fly:8:5: warning[tofu-warning] Check block assertion failed: The subnet subnet-given is not in the egg's zone
        OpenTofu: 3 warnings
        exit 1
    "#]]);
}

#[test]
fn an_apply_that_fails_half_way() {
    let shop = Shop::new(&need!(tools::tofu()), &need!(tools::fake_cloud()));
    let precondition = "    precondition {\n      condition     = aws_instance.runner.id == \"\"\n      error_message = \"The instance ${var.instance_type} is gone.\"\n    }\n";
    shop.change(
        "compute-module/aws/main.tf",
        "resource \"aws_ec2_instance_state\" \"runner\" {\n",
        &format!("resource \"aws_ec2_instance_state\" \"runner\" {{\n  lifecycle {{\n{precondition}  }}\n\n"),
    );
    shop.says(
        &["apply", "-json", "-auto-approve", "-input=false"],
        &["--output-format", "concise"],
        &expect![[r#"
            Eggs/shop/config.fly:2:1: error[tofu-error] Resource precondition failed: The instance c6i.xlarge is gone
            OpenTofu: 1 error
            exit 1
        "#]],
    );
}
