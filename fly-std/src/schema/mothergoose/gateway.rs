//! `api_gateway`: the door through which GitLab's webhooks and the runners come in.

use super::{Attribute, Block, Child, ENV_CHILD, GIB, MIB, SERVICE_ACCOUNT, Type, Variant};

/// `api_gateway { … }`
pub(super) static API_GATEWAY: Block = Block {
    attributes: &[
        Attribute::optional(
            "type",
            Type::Enum(&[
                Variant::new("yandex_api_gateway", "Yandex API Gateway."),
                Variant::new("aws_api_gateway_v2", "Amazon API Gateway, as an HTTP API."),
                Variant::new("local", "A port of this machine."),
            ]),
            "the cloud service that takes requests in",
            "\"aws_api_gateway_v2\"",
        )
        .derived("`yandex_api_gateway` on yandex, `aws_api_gateway_v2` on aws, `local` on local"),
        Attribute::optional(
            "name",
            Type::Name,
            "what the gateway is called in the cloud",
            "\"polar-gosling-api\"",
        )
        .default("\"polar-gosling-api\""),
        Attribute::optional(
            "openapi_spec",
            Type::String,
            "the OpenAPI description the gateway serves, as a path within `MG/`",
            "\"openapi.yaml\"",
        )
        .derived("the description MotherGoose brings along"),
        Attribute::optional(
            "domain",
            Type::Fqdn,
            "the host name GitLab and the runners reach the gateway by",
            "\"gosling.company.com\"",
        )
        .derived("the name the cloud gives the gateway"),
    ],
    blocks: &[Child::optional(&AUTH_FUNCTION), Child::optional(&CORS)],
    example: r#"api_gateway {
  name = "polar-gosling-api"

  cors {
    allowed_origins = ["https://gitlab.company.com"]
    allowed_methods = ["GET", "POST"]
  }
}"#,
    ..Block::new("api_gateway", "The door through which webhooks and runners come in.")
};

/// `auth_function { … }`
static AUTH_FUNCTION: Block = Block {
    attributes: &[
        Attribute::optional(
            "type",
            Type::Enum(&[
                Variant::new("yandex_cloud_function", "A Yandex Cloud Function."),
                Variant::new("aws_lambda", "An AWS Lambda authorizer."),
                Variant::new("local", "A part of the API process on this machine."),
            ]),
            "the cloud service the function runs on",
            "\"aws_lambda\"",
        )
        .derived("`yandex_cloud_function` on yandex, `aws_lambda` on aws, `local` on local"),
        Attribute::optional(
            "name",
            Type::Name,
            "what the function is called in the cloud",
            "\"webhook-auth\"",
        )
        .default("\"webhook-auth\""),
        Attribute::optional(
            "runtime",
            Type::String,
            "the language runtime of a function of your own",
            "\"python312\"",
        ),
        Attribute::optional(
            "handler",
            Type::String,
            "the entry point of a function of your own, as `file.function`",
            "\"auth.validate_webhook\"",
        ),
        Attribute::optional(
            "memory",
            Type::megabytes(128 * MIB, 10 * GIB),
            "what one call gets: a whole number of MB, or a size from 128MiB to 10GiB",
            "128MiB",
        )
        .default("128MiB"),
        Attribute::optional(
            "timeout",
            Type::seconds(1, 60),
            "how long one call may take: a whole number of seconds, or a duration up to 1m",
            "5s",
        )
        .default("5s"),
        SERVICE_ACCOUNT,
    ],
    blocks: &[ENV_CHILD],
    example: r#"auth_function {
  name    = "webhook-auth"
  memory  = 128MiB
  timeout = 5s

  env {
    SECRET_BACKEND = "yc-lockbox"
  }
}"#,
    ..Block::new("auth_function", "The function that decides whether a webhook is let in.")
};

/// `cors { … }`
static CORS: Block = Block {
    attributes: &[
        Attribute::optional(
            "allowed_origins",
            Type::List(&Type::String),
            "the origins whose pages may call the API from a browser; `*` is any",
            "[\"https://gitlab.company.com\"]",
        )
        .default("[]"),
        Attribute::optional(
            "allowed_methods",
            Type::List(&Type::Enum(METHODS)),
            "the HTTP methods such a page may use",
            "[\"GET\", \"POST\"]",
        )
        .default("[\"GET\", \"POST\"]"),
        Attribute::optional(
            "allowed_headers",
            Type::List(&Type::String),
            "the request headers such a page may send; `*` is any",
            "[\"*\"]",
        )
        .default("[\"*\"]"),
    ],
    example: r#"cors {
  allowed_origins = ["https://gitlab.company.com"]
  allowed_methods = ["GET", "POST"]
  allowed_headers = ["*"]
}"#,
    ..Block::new("cors", "Which web pages may call the API from a browser.")
};

/// The HTTP methods of the API.
pub(super) const METHODS: &[Variant] = &[
    Variant::new("GET", "Reads."),
    Variant::new("POST", "Starts something."),
    Variant::new("PUT", "Replaces."),
    Variant::new("PATCH", "Changes in part."),
    Variant::new("DELETE", "Removes."),
    Variant::new("HEAD", "Reads the headers only."),
    Variant::new("OPTIONS", "Asks what is allowed."),
];
