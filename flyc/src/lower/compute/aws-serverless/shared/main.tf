# What the runners of an egg or job share on AWS Fargate: the cluster, the log, the role that starts their tasks, and
# the task definitions. A definition costs nothing; a runner in pool nadir is a task of it that doesn't run.

locals {
  tags = {
    for key, value in {
      Name                          = local.name
      gosling-nest                  = var.nest
      "gosling-${local.owner_kind}" = local.owner
    } : key => substr(replace(value, "/[^-+=._:\\/@ 0-9A-Za-z]/", "_"), 0, 256)
  }

  # Names of clusters and task definitions hold letters, digits, `-` and `_`.
  name = "gosling-${local.owner_kind}-${replace(local.owner, "/[^-_0-9A-Za-z]/", "_")}"

  # No task lives longer, whatever becomes of its runner.
  lifetime = 3600
}

data "aws_region" "here" {}

resource "aws_ecs_cluster" "own" {
  count = var.cluster == null ? 1 : 0

  name = local.name
  tags = local.tags
}

locals {
  cluster = var.cluster == null ? aws_ecs_cluster.own[0].name : var.cluster
}

resource "aws_cloudwatch_log_group" "runners" {
  name              = "/gosling/${replace(var.nest, "/[^-._0-9A-Za-z]/", "_")}/${local.owner_kind}/${local.owner}"
  retention_in_days = var.log_retention
  tags              = local.tags
}

resource "aws_ecs_task_definition" "runner" {
  for_each = var.images

  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  tags                     = local.tags

  # ECS itself pulls the image and writes the log with this role. There is no task role: a job that looks for
  # credentials of the task finds none.
  execution_role_arn = aws_iam_role.execution.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  # Every task has 20 GiB; only more can be asked for.
  dynamic "ephemeral_storage" {
    for_each = var.disk_size > 20 ? [var.disk_size] : []

    content {
      size_in_gib = ephemeral_storage.value
    }
  }

  container_definitions = jsonencode([
    {
      name      = "runner"
      image     = each.value
      essential = true
      command   = ["runner", "--from", "environment"]

      # A task that starts gets GOSLING_RUNNER_CONFIG and GOSLING_TICKET besides; they are the runner's own.
      environment = [{ name = "GOSLING_EGG_CONFIG", value = var.egg_config }]

      # On SIGTERM the runner takes no more jobs and unregisters. Two minutes are the most that Fargate gives.
      stopTimeout = 120

      # Jobs leave processes behind; somebody has to reap them.
      linuxParameters  = { initProcessEnabled = true }
      logConfiguration = local.log_configuration
    },
    {
      # Fargate has no time limit of its own. When this container ends, an essential one, the whole task is stopped.
      name             = "deadline"
      image            = each.value
      essential        = true
      entryPoint       = ["sleep"]
      command          = [tostring(local.lifetime)]
      logConfiguration = local.log_configuration
    },
  ])

  lifecycle {
    # The definition of a changed egg is there before the old one goes: a runner can wake at any time.
    create_before_destroy = true
  }
}

locals {
  log_configuration = {
    logDriver = "awslogs"

    options = {
      awslogs-group         = aws_cloudwatch_log_group.runners.name
      awslogs-region        = data.aws_region.here.region
      awslogs-stream-prefix = "gosling"
    }
  }
}
