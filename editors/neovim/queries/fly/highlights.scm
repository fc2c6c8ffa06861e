; The lists of words come from fly-std: UPDATE_EXPECT=1 cargo test --test editors
; Where two patterns fit, the later one counts.

; --- Names

(identifier) @variable

(attribute name: (identifier) @property)

((attribute name: (identifier) @property.builtin)
  (#any-of? @property.builtin
    ; words: attributes
    "action" "allowed" "allowed_headers" "allowed_methods" "allowed_origins" "api_token_secret" "branch"
    "cache" "check_interval" "cidr" "cloud" "columns" "command" "concurrent" "condition" "cpu"
    "cpu_threshold" "dead_letter_queue" "default" "description" "disk" "docker" "domain" "edition" "egg"
    "eggs" "eggs_entities" "endpoint" "ephemeral" "event" "eviction" "executor" "expiration_days"
    "extends" "failed_threshold" "group_id" "handler" "id" "idle_timeout" "image" "max_age" "max_count"
    "max_instances" "max_receives" "max_size" "memory" "memory_threshold" "message" "message_retention"
    "method" "metric" "min_count" "min_instances" "mode" "name" "nat" "network" "notify" "openapi_spec"
    "over" "partition_key" "password_secret" "port" "prefix" "primary_key" "privileged" "project_id"
    "protected" "provider" "region" "repository" "roles" "run_untagged" "runner_type" "runtime"
    "scale_down_threshold" "scale_up_threshold" "schedule" "script" "security_groups" "sensitive" "served"
    "server" "service_account" "severity" "sort_key" "subnet" "subnets" "tags" "target_function"
    "target_value" "timeout" "timezone" "token_secret" "token_ttl" "type" "url" "username" "versioning"
    "visibility_timeout" "webhook_secret" "zone"
    ; end
  ))

(entry key: (identifier) @property)
(entry key: (string (string_content) @property))

(field_expression field: (identifier) @variable.member)

((field_expression object: (identifier) @module)
  (#any-of? @module "local" "var" "egg" "bucket" "profile"))

((field_expression object: (identifier) @variable.builtin)
  (#eq? @variable.builtin "self"))

; --- Blocks

(block type: (identifier) @type)

((block type: (identifier) @type.builtin)
  (#any-of? @type.builtin
    ; words: inner blocks
    "apex" "api" "api_gateway" "auth" "auth_function" "binary_bucket" "cache" "celery_workers" "cloud"
    "cors" "database" "dead_letter_queue" "env" "environment" "expect" "fastapi_app" "gitlab"
    "global_secondary_index" "lifecycle_rules" "message_queues" "nadir" "network" "on_failure" "policies"
    "pruning" "repo" "repositories" "resources" "rift" "rule" "runner" "runners_condition" "scaling"
    "service_accounts" "state_bucket" "storage" "tables" "triggers" "uglyfox_queue" "uglyfox_workers"
    "upstreams" "variables" "webhook_queue" "workers"
    ; end
  ))

((block type: (identifier) @keyword)
  (#any-of? @keyword
    ; words: root blocks
    "assert" "egg" "eggsbucket" "job" "locals" "mothergoose" "nest" "profile" "rift" "test" "uglyfox"
    "variable"
    ; end
  ))

; --- Types of variables, and words that stand for themselves

((attribute
   name: (identifier) @_name
   value: [
     (identifier) @type.builtin
     (generic_type name: (identifier) @type.builtin)
   ])
  (#any-of? @_name
    ; words: type attributes
    "type"
    ; end
  ))

(type_arguments (identifier) @type)

((type_arguments (identifier) @type.builtin)
  (#any-of? @type.builtin
    ; words: types
    "any" "bool" "cron" "duration" "email" "float" "fqdn" "image" "int" "name" "percent" "secret" "size"
    "string" "timezone" "url"
    ; end
  ))

((attribute value: (identifier) @constant.builtin)
  (#any-of? @constant.builtin
    ; words: keywords
    "aws" "egg" "error" "job" "local" "nest" "serverless" "vm" "warning" "yandex"
    ; end
  ))

; --- Calls

(call_expression function: (identifier) @function)

((call_expression function: (identifier) @function.builtin)
  (#any-of? @function.builtin
    "file" "secret"
    ; words: functions
    "abs" "base64encode" "ceil" "coalesce" "concat" "contains" "distinct" "endswith" "floor" "format"
    "join" "jsonencode" "keys" "length" "lower" "max" "merge" "min" "replace" "slice" "sort" "split"
    "startswith" "trim" "upper" "values"
    ; end
  ))

; --- Literals

(number) @number
(boolean) @boolean

(string) @string
(heredoc_body) @string
(escape_sequence) @string.escape
(unknown_escape) @error

(block label: (string) @label)
(block label: (bare_label) @label)

[
  (heredoc_start)
  (heredoc_end)
] @label

; --- Signs

[
  "-"
  "!"
  "+"
  "*"
  "/"
  "%"
  "=="
  "!="
  "<"
  "<="
  ">"
  ">="
  "&&"
  "||"
  "="
] @operator

(conditional_expression ["?" ":"] @keyword.conditional.ternary)
(entry ":" @punctuation.delimiter)

[
  "{"
  "}"
  "["
  "]"
  "("
  ")"
] @punctuation.bracket

(type_arguments ["<" ">"] @punctuation.bracket)

[
  ","
  "."
] @punctuation.delimiter

(interpolation
  "${" @punctuation.special
  "}" @punctuation.special) @embedded

; --- Comments

(comment) @comment
(doc_comment) @comment.documentation

; --- What is never closed

[
  (unclosed_string)
  (loose_string)
  (unclosed_heredoc)
  (loose_heredoc)
] @string

(unclosed_comment) @comment
