//! What is said to `gosling`, command by command, in the order in which it is said. Every command of the program has its part.

/// Against one running service: those that look come first, and those that change something in an order that makes sense.
pub(crate) const SERVED: &[(&str, &[&str])] = &[
    (
        "status",
        &[
            "status",
            "status --egg docs",
            "status --egg docs --output json",
            "status --egg services --output yaml",
            "status --egg dosc",
            "status --token-file stranger",
            "status --token-file missing",
            "status --token-file empty",
            "status --token-file answer.json",
            "status docs web",
            "status web --egg docs",
        ],
    ),
    (
        "list eggs",
        &[
            "list eggs --output table",
            "list eggs",
            "list eggs --kind job --output json",
            "list eggs --kind bucket --output yaml",
            "list eggs --kind jobs",
        ],
    ),
    (
        "list runners",
        &[
            "list runners --output table",
            "list runners --state idle --output json",
            "list runners --egg docs --all",
            "list runners --egg dosc",
        ],
    ),
    (
        "list plans",
        &[
            "list plans --output table",
            "list plans web --output json",
            "list plans docs",
            "list plans services --output table",
            "list plans dosc",
        ],
    ),
    (
        "list jobs",
        &[
            "list jobs --output table",
            "list jobs --status pending",
            "list jobs --egg web --output json",
            "list jobs --egg services --output table",
            "list jobs --egg dosc",
        ],
    ),
    (
        "get egg",
        &[
            "get egg docs",
            "get egg docs --field gitlab.project_id",
            "get egg services --output json",
            "get egg jobs/nightly --output yaml",
            "get egg docs --field gitlab.projct_id",
            "get egg dosc",
        ],
    ),
    (
        "get runner",
        &[
            "get runner docs-1",
            "get runner docs-2 --output json",
            "get runner docs-1 --field state",
            "get runner dosc-1",
        ],
    ),
    (
        "get plan",
        &[
            "get plan web 0199e7f2-0000-7000-8000-000000000003",
            "get plan docs 0199e7f2-0000-7000-8000-000000000002 --output json",
            "get plan docs 0199e7f2-0000-7000-8000-000000000003",
        ],
    ),
    (
        "why job",
        &[
            "why job 4711",
            "why job 4712",
            "why job 4713",
            "why job 4713 --output json",
            "why job 4713 --output yaml",
            "why job 1",
            "why job build",
        ],
    ),
    (
        "plan",
        &[
            "plan docs",
            "plan docs --output json",
            "plan docs --output yaml",
            "plan web",
            "plan dosc",
            "plan docs --token-file bob",
        ],
    ),
    (
        "logs",
        &[
            "logs --since 3h",
            "logs --since 1h --output json",
            "logs --egg web --output yaml",
            "logs --egg docs --since 1m",
            "logs --egg dosc",
            "logs --since 1",
        ],
    ),
    ("queue list", &["queue list", "queue list --output json", "queue list --output yaml"]),
    (
        "queue replay",
        &[
            "queue replay 0199e7f2-6f0c-7cc1-a0c5-1b2f3d4e5f60 --token-file bob",
            "queue replay 0199e7f2-6f0c-7cc1-a0c5-1b2f3d4e5f60",
            "queue replay 0199e7f2-6f0c-7cc1-a0c5-1b2f3d4e5f61 --output json",
            "queue replay 0199e7f2-6f0c-7cc1-a0c5-1b2f3d4e5f60",
        ],
    ),
    (
        "link",
        &[
            "link docs --dry-run",
            "link docs --output json",
            "link docs",
            "link jobs/nightly",
            "link web",
            "link services",
            "link --nest --dry-run --output yaml",
            "link dosc",
            "link docs --token-file bob",
        ],
    ),
    (
        "secret put",
        &[
            "secret put vault://team/database/password < value",
            "secret put vault://team/database/password --output json < value",
            "secret put vault://team/database/password",
            "secret put vault://team/database/password hunter2",
            "secret put vault://team/database/password --value=hunter2",
            "secret put team/database/password < value",
        ],
    ),
    (
        "secret rotate",
        &[
            "secret rotate vault://team/database/password --random",
            "secret rotate vault://eggs/docs/webhook-secret",
            "secret rotate vault://eggs/docs/webhook-secret --output json",
            "secret rotate vault://team/database/password",
        ],
    ),
    (
        "secret versions",
        &[
            "secret versions vault://team/database/password",
            "secret versions vault://team/database/password --output json",
            "secret versions vault://team/database/password --output yaml",
            "secret versions vault://team/database/passwrd",
        ],
    ),
    (
        "secret audit",
        &[
            "secret audit vault://team/database/password",
            "secret audit vault://team/database/password --limit 1 --output json",
            "secret audit vault://team/other/password",
            "secret audit team",
        ],
    ),
    (
        "pause",
        &[
            "pause docs",
            "pause docs web",
            "pause docs --output json",
            "pause dosc",
            "pause",
            "pause docs --force",
            "pause docs --token-file bob",
        ],
    ),
    ("resume", &["resume docs web", "resume docs --output json", "resume docs dosc", "resume"]),
    (
        "rollback",
        &[
            "rollback docs",
            "rollback docs --yes",
            "rollback docs --to 0199e7f2-0000-7000-8000-000000000001 --yes --output json",
            "rollback docs --to 0199e7f2-0000-7000-8000-000000000002 --yes",
            "rollback docs --to 0199e7f2-0000-7000-8000-00000000000 --yes",
            "rollback docs --to 0199e7f2-0000-7000-8000-000000000009 --yes",
            "rollback web --yes",
            "rollback dosc --yes",
        ],
    ),
    (
        "rotate-tokens",
        &[
            "rotate-tokens docs",
            "rotate-tokens docs --output json",
            "rotate-tokens --undo docs",
            "rotate-tokens --all",
            "rotate-tokens --all --yes",
            "rotate-tokens web",
            "rotate-tokens dosc",
            "rotate-tokens",
        ],
    ),
    (
        "runner list",
        &["runner list --output table", "runner list --egg docs --output json", "runner list --state idl"],
    ),
    (
        "runner drain",
        &["runner drain docs-2", "runner drain docs-2 --output json", "runner drain dosc-1", "runner drain"],
    ),
    (
        "runner terminate",
        &[
            "runner terminate docs-1",
            "runner terminate docs-1 --yes",
            "runner terminate docs-1 docs-0 --yes --output json",
            "runner terminate dosc-1 --yes",
        ],
    ),
    (
        "unlink",
        &[
            "unlink jobs/nightly --dry-run",
            "unlink jobs/nightly",
            "unlink jobs/nightly --yes",
            "unlink jobs/nightly --yes --output json",
            "unlink services --yes",
            "unlink dosc --yes",
            "unlink",
        ],
    ),
];

/// On this machine alone, in one folder.
pub(crate) const ALONE: &[(&str, &[&str])] = &[
    (
        "init",
        &[
            "init --path nest --cloud yandex --nest git@gitlab.example.com:infra/nest.git --git-init --yes",
            "init --path nest --yes --output json",
            "init --path nest/Eggs --yes",
            "init --path value",
            "init --cloud gcp",
        ],
    ),
    (
        "add egg",
        &[
            "add egg my-app --path nest --type vm --gitlab-project-id 12345 --tags docker --concurrent 3 --dry-run",
            "add egg my-app --path nest --type vm --gitlab-project-id 12345 --tags docker --concurrent 3",
            "add egg other --path nest --type vm --gitlab-group-id 77 --url https://gosling.example.com --output json",
            "add egg my-app --path nest --type vm --gitlab-project-id 1",
            "add egg third --path nest --yes",
            "add egg third --path nest --type vm --gitlab-project-id 1 --memory 4GX",
            "add egg third --path nest --type vm --gitlab-project-id 1 --region mars",
            "add egg --path nest",
            "add egg third",
        ],
    ),
    (
        "add bucket",
        &[
            "add bucket services --path nest --type vm --repo api=project:1 --repo web=group:2",
            "add bucket more --path nest --type vm --repo api=project:1 --dry-run --output json",
            "add bucket more --path nest --type vm --repo api",
            "add bucket more --path nest",
        ],
    ),
    (
        "add job",
        &[
            "add job clean-up --path nest --schedule '0 2 * * *' --script true",
            "add job other --path nest --schedule '0 2 * * *' --script true --dry-run --output json",
            "add job other --path nest --schedule often --script true",
            "add job other --path nest",
        ],
    ),
    (
        "validate",
        &[
            "validate nest",
            "validate wrong",
            "validate wrong --output json",
            "validate wrong --output yaml",
            "validate nowhere",
        ],
    ),
    (
        "token",
        &[
            "token alice --scope read --scope operate",
            "token bob --output json",
            "token carol --output yaml",
            "token alice",
            "token dave --scope reed",
        ],
    ),
    (
        "secret put",
        &[
            "secret put vault://team/database/password --local < value",
            "secret put vault://team/database/password --output yaml < value",
        ],
    ),
    (
        "secret get",
        &[
            "secret get vault://team/database/password --to out",
            "secret get vault://team/database/password --to out",
            "secret get vault://team/database/password --to out2 --output json",
            "secret get vault://team/database/passwrd --to out3",
            "secret get vault://team/database/password",
        ],
    ),
    ("secret rotate", &["secret rotate vault://team/database/password --random --output yaml"]),
    (
        "secret remove",
        &[
            "secret remove vault://team/database/password",
            "secret remove vault://team/database/password --yes",
            "secret put vault://team/database/password < value",
            "secret remove vault://team/database/password --yes --output json",
            "secret remove vault://team/database/password --yes",
        ],
    ),
    (
        "export",
        &[
            "export installation.jsonl --data made",
            "export installation.jsonl --data made",
            "export second.jsonl --data made --output json",
            "export third.jsonl --data nowhere",
        ],
    ),
    (
        "import",
        &[
            "import installation.jsonl --data other",
            "import installation.jsonl --data other",
            "import installation.jsonl --data other --replace --output json",
            "import installation.jsonl --data third",
            "import value --data third",
            "import nowhere.jsonl --data third",
        ],
    ),
    ("man", &["man pages", "man value/pages"]),
    ("completions", &["completions basj", "completions"]),
    (
        "power",
        &[
            "power --cloud yandex --container c --runner docs-1 --state running",
            "power --cloud aws --cluster c --task docs-1 --state running",
            "power --cloud yandex --state running",
            "power --cloud azure --state running",
        ],
    ),
    (
        "runner",
        &["runner", "runner --config runner.json", "runner --from environment", "runner --from environmnt"],
    ),
    (
        "serve",
        &[
            "serve",
            "serve --nest nest --listen here",
            "serve --nest nest --tls-cert cert.pem",
            "serve --nest nest --deploy-key key",
            "serve --nest nest --roles api,wroker",
            "serve --nest nest --config value",
            "serve --nest nest --data value",
            "serve --nest nest --sync-interval 5",
        ],
    ),
    ("list", &["list", "list egs"]),
    ("secret", &["secret", "secret pt"]),
    ("add", &["add", "add eg"]),
    ("get", &["get"]),
    ("why", &["why"]),
    ("queue", &["queue"]),
    ("gosling", &["", "--version", "stauts", "--ouput json", "status --output jsn"]),
];

/// Commands whose answer is no thing that JSON says better, and why.
pub(crate) const WITHOUT_JSON: &[(&str, &str)] = &[
    ("man", "it writes pages for man"),
    ("completions", "it writes a script for a shell"),
    ("power", "OpenTofu calls it, and reads how it ended; what it does in the clouds is in tests/power.rs"),
    ("runner", "it runs until it is ended, and writes a log; its doings are in tests/runner.rs"),
    (
        "serve",
        "it runs until it is ended, and writes a log, as JSON with --log-format json; tests/e2e.rs has it",
    ),
];

/// Commands that may be told an API, and don't ask it: what they do is done on the machine that keeps the secrets.
pub(crate) const NOT_BY_API: &[&str] = &["secret get", "secret remove"];
