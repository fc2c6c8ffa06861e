//! The templates and the machine that fills them.
//!
//! Here live the list of all templates, embedded in the program, and [`render`]. Escaping is `escape`'s and can't be
//! left out; marks of origins (`{{ at("resources.cpu") }}`) are `marks`'s.
//!
//! Never here: what a template is filled with.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

use super::{LowerError, escape, marks};

macro_rules! templates {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!($name))),*] };
}

/// Every template, by its path in this folder.
pub(super) const TEMPLATES: &[(&str, &str)] = templates![
    "cloud_init/cloud-init.yaml.j2",
    "cloud_init/gosling-rift-cache.service.j2",
    "cloud_init/gosling-rift.service.j2",
    "cloud_init/gosling-runner.service.j2",
    "cloud_init/install.sh.j2",
    "cloud_init/mount-cache.sh.j2",
    "cloud_init/rift.yaml.j2",
    "mothergoose/aws/api_gateway.tf.j2",
    "mothergoose/aws/auth_function.tf.j2",
    "mothergoose/aws/checks.tf.j2",
    "mothergoose/aws/database.tf.j2",
    "mothergoose/aws/environment.tf.j2",
    "mothergoose/aws/message_queues.tf.j2",
    "mothergoose/aws/network.tf.j2",
    "mothergoose/aws/outputs.tf.j2",
    "mothergoose/aws/providers.tf.j2",
    "mothergoose/aws/registry.tf.j2",
    "mothergoose/aws/runners.tf.j2",
    "mothergoose/aws/service.tf.j2",
    "mothergoose/aws/service_accounts.tf.j2",
    "mothergoose/aws/service_policy.tf.j2",
    "mothergoose/aws/storage.tf.j2",
    "mothergoose/aws/triggers.tf.j2",
    "mothergoose/aws/variables.tf.j2",
    "mothergoose/header.tf.j2",
    "mothergoose/local/checks.tf.j2",
    "mothergoose/local/main.tf.j2",
    "mothergoose/local/outputs.tf.j2",
    "mothergoose/local/variables.tf.j2",
    "mothergoose/local/versions.tf.j2",
    "mothergoose/openapi.yaml.j2",
    "mothergoose/yandex/api_gateway.tf.j2",
    "mothergoose/yandex/checks.tf.j2",
    "mothergoose/yandex/database.tf.j2",
    "mothergoose/yandex/locals.tf.j2",
    "mothergoose/yandex/message_queues.tf.j2",
    "mothergoose/yandex/network.tf.j2",
    "mothergoose/yandex/outputs.tf.j2",
    "mothergoose/yandex/providers.tf.j2",
    "mothergoose/yandex/service.tf.j2",
    "mothergoose/yandex/service_accounts.tf.j2",
    "mothergoose/yandex/storage.tf.j2",
    "mothergoose/yandex/triggers.tf.j2",
    "mothergoose/yandex/variables.tf.j2",
    "mothergoose/yandex/versions.tf.j2",
    "tofu/aws/checks.tf.j2",
    "tofu/aws/data.tf.j2",
    "tofu/aws/providers.tf.j2",
    "tofu/aws/resources.tf.j2",
    "tofu/aws/versions.tf.j2",
    "tofu/aws_serverless/checks.tf.j2",
    "tofu/aws_serverless/data.tf.j2",
    "tofu/aws_serverless/resources.tf.j2",
    "tofu/aws_serverless/variables.tf.j2",
    "tofu/backend.tf.j2",
    "tofu/header.tf.j2",
    "tofu/local/checks.tf.j2",
    "tofu/local/data.tf.j2",
    "tofu/local/outputs.tf.j2",
    "tofu/local/providers.tf.j2",
    "tofu/local/resources.tf.j2",
    "tofu/local/variables.tf.j2",
    "tofu/local/versions.tf.j2",
    "tofu/network_variables.tf.j2",
    "tofu/outputs.tf.j2",
    "tofu/rift/aws/checks.tf.j2",
    "tofu/rift/aws/data.tf.j2",
    "tofu/rift/aws/resources.tf.j2",
    "tofu/rift/local/checks.tf.j2",
    "tofu/rift/local/data.tf.j2",
    "tofu/rift/local/providers.tf.j2",
    "tofu/rift/local/resources.tf.j2",
    "tofu/rift/local/variables.tf.j2",
    "tofu/rift/outputs.tf.j2",
    "tofu/rift/user_data.tf.j2",
    "tofu/rift/variables.tf.j2",
    "tofu/rift/vm_outputs.tf.j2",
    "tofu/rift/vm_variables.tf.j2",
    "tofu/rift/yandex/checks.tf.j2",
    "tofu/rift/yandex/data.tf.j2",
    "tofu/rift/yandex/resources.tf.j2",
    "tofu/serverless_outputs.tf.j2",
    "tofu/serverless_variables.tf.j2",
    "tofu/tofu.rc.j2",
    "tofu/variables.tf.j2",
    "tofu/vm_variables.tf.j2",
    "tofu/yandex/checks.tf.j2",
    "tofu/yandex/data.tf.j2",
    "tofu/yandex/providers.tf.j2",
    "tofu/yandex/resources.tf.j2",
    "tofu/yandex/variables.tf.j2",
    "tofu/yandex/versions.tf.j2",
    "tofu/yandex_serverless/checks.tf.j2",
    "tofu/yandex_serverless/data.tf.j2",
    "tofu/yandex_serverless/resources.tf.j2",
    "tofu/yandex_serverless/variables.tf.j2",
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    environment.set_syntax(syntax);
    environment.set_auto_escape_callback(escape::auto_escape);
    environment.set_formatter(escape::format);
    environment.add_filter("block", escape::block);
    environment.add_filter("environment", escape::environment);
    environment.add_filter("heredoc", escape::heredoc);
    environment.add_filter("ident", escape::ident);
    environment.add_filter("line", escape::line);
    environment.add_test("defined", minijinja::tests::is_defined);
    environment.add_function("at", marks::at);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
});

/// Fills a template.
pub(super) fn render(template: &str, context: &Value) -> Result<String, LowerError> {
    let failed = |source: &minijinja::Error| LowerError::Template {
        template: template.to_owned(),
        message: source.to_string(),
    };
    let environment = ENVIRONMENT.as_ref().map_err(failed)?;
    environment
        .get_template(template)
        .and_then(|template| template.render(context))
        .map_err(|error| failed(&error))
}
