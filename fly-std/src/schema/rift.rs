//! `rift`: a cache for images and artifacts near the runners, and an egg's reference to one.

use super::{
    Attribute, Block, Child, Label,
    egg::{BEYOND_ANY_SIZE, CLOUD, RESOURCES},
};
use crate::types::{Entities, Type, Variant};

const GIB: u64 = 1 << 30;
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

/// `rift "name" { … }` in `MG/config.fly`
pub static RIFT: Block = Block {
    label: Label::Name("the Rift server's name"),
    attributes: &[
        Attribute::optional(
            "server",
            Type::Fqdn,
            "the host name runners reach the server by",
            "\"rift.company.com\"",
        )
        .derived("the server's address in the network of the runners"),
        Attribute::optional("port", Type::int(1, 65_535), "the TCP port the server listens on", "8443")
            .default("8443"),
    ],
    blocks: &[
        Child::optional(&CLOUD),
        Child::optional(&RESOURCES),
        Child::optional(&CACHE),
        Child::optional(&UPSTREAMS),
        Child::optional(&AUTH),
    ],
    example: r#"rift "main" {
  cloud {
    provider = "yandex"
    region   = "ru-central1-a"
  }

  cache {
    max_size = 200GiB
    max_age  = 30d
    eviction = "lru"
  }

  upstreams {
    docker_hub {
      url = "https://registry-1.docker.io"
    }
  }
}"#,
    ..Block::new("rift", "A Rift server: a remote Docker context and a cache of images and artifacts.")
};

/// `cache { … }`
static CACHE: Block = Block {
    attributes: &[
        Attribute::optional(
            "max_size",
            Type::gigabytes(GIB, BEYOND_ANY_SIZE),
            "how much the cache may hold: a whole number of GB, or a size from 1GiB to what the largest disk of the cloud holds",
            "200GiB",
        )
        .default("50GiB"),
        Attribute::optional(
            "max_age",
            Type::duration(MINUTE, 365 * DAY),
            "how long something nobody asked for stays in the cache",
            "30d",
        )
        .default("30d"),
        Attribute::optional(
            "eviction",
            Type::Enum(&[
                Variant::new("lru", "What was used longest ago goes first."),
                Variant::new("lfu", "What was used least often goes first."),
                Variant::new("fifo", "What came first goes first."),
            ]),
            "which things make room when the cache is full",
            "\"lru\"",
        )
        .default("\"lru\""),
    ],
    example: r#"cache {
  max_size = 200GiB
  max_age  = 30d
  eviction = "lru"
}"#,
    ..Block::new("cache", "How much the server keeps, and for how long.")
};

/// `upstreams { … }`
static UPSTREAMS: Block = Block {
    free_blocks: Some(&UPSTREAM),
    example: r#"upstreams {
  docker_hub {
    url = "https://registry-1.docker.io"
  }
}"#,
    ..Block::new("upstreams", "The registries the server fetches from, each a block with a name of your own.")
};

/// One registry in `upstreams`.
static UPSTREAM: Block = Block {
    attributes: &[
        Attribute::required(
            "url",
            Type::Url,
            "the address of the registry",
            "\"https://registry-1.docker.io\"",
        ),
        Attribute::optional(
            "username",
            Type::String,
            "the name the server signs in to the registry with",
            "\"robot\"",
        ),
        Attribute::optional(
            "password_secret",
            Type::Secret,
            "where the password or token is kept that the server signs in with",
            "\"yc-lockbox://registries/docker-hub\"",
        ),
    ],
    example: r#"docker_hub {
  url             = "https://registry-1.docker.io"
  username        = "robot"
  password_secret = "yc-lockbox://registries/docker-hub"
}"#,
    ..Block::new("upstream", "One registry the server fetches from.")
};

/// `auth { … }`
static AUTH: Block = Block {
    attributes: &[
        Attribute::optional(
            "method",
            Type::Enum(&[
                Variant::new(
                    "runner_token",
                    "Runners show a token made for them; nothing needs to be set up.",
                ),
                Variant::new("mtls", "Runners show a client certificate made for them."),
            ]),
            "how a runner proves that it may use the server",
            "\"runner_token\"",
        )
        .default("\"runner_token\""),
        Attribute::optional(
            "token_ttl",
            Type::duration(MINUTE, 30 * DAY),
            "how long a token or certificate of a runner stays good before it is renewed",
            "1h",
        )
        .default("1h"),
        Attribute::optional(
            "eggs",
            Type::List(&Type::Entity(Entities::EggOrBucket)),
            "the eggs and buckets whose runners may use the server",
            "[\"my-app\"]",
        )
        .derived("every egg and bucket with a `rift` block that names this server"),
    ],
    example: r#"auth {
  method    = "runner_token"
  token_ttl = 1h
}"#,
    ..Block::new("auth", "Who may use the server; nobody is let in without a proof.")
};

/// `rift { … }` in an egg or bucket: which Rift server its runners use.
pub(super) static RIFT_REFERENCE: Block = Block {
    attributes: &[
        Attribute::optional("name", Type::Name, "the name of the Rift server the runners use", "\"main\"")
            .derived("the Nest's one Rift server"),
        Attribute::optional(
            "docker",
            Type::Bool,
            "whether Docker builds of the jobs run on the Rift server",
            "true",
        )
        .default("true"),
        Attribute::optional(
            "cache",
            Type::Bool,
            "whether images and artifacts are fetched through the Rift server",
            "true",
        )
        .default("true"),
    ],
    example: r#"rift {
  name = "main"
}"#,
    ..Block::new("rift", "The Rift server the runners use; without this block they use none.")
};
