# The role that ECS starts tasks with: it writes this log, and reads these images where they lie in ECR. Nothing else.

data "aws_caller_identity" "own" {}

data "aws_partition" "here" {}

locals {
  # `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`; images elsewhere need no right.
  ecr_images = [
    for image in var.images :
    regex("^([0-9]{12})[.]dkr[.]ecr[.]([-a-z0-9]+)[.]amazonaws[.]com(?:[.]cn)?/([^:@]+)", image)
    if can(regex("^[0-9]{12}[.]dkr[.]ecr[.][-a-z0-9]+[.]amazonaws[.]com(?:[.]cn)?/[^:@]+", image))
  ]

  ecr_repositories = [
    for image in local.ecr_images :
    "arn:${data.aws_partition.here.partition}:ecr:${image[1]}:${image[0]}:repository/${image[2]}"
  ]
}

resource "aws_iam_role" "execution" {
  # A prefix has 38 characters at most; AWS makes the rest of the name.
  name_prefix = "${substr(local.name, 0, 37)}-"
  path        = "/gosling/${replace(var.nest, "/[^-._0-9A-Za-z]/", "_")}/"
  description = "Starts the tasks of GitLab runners of the ${local.owner_kind} ${local.owner}"
  tags        = local.tags

  # MotherGoose may make no role without its boundary.
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"

    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }

      # Only for tasks of this account.
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.own.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "execution" {
  name = "start-tasks"
  role = aws_iam_role.execution.name

  policy = jsonencode({
    Version = "2012-10-17"

    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.runners.arn}:*"
      }],
      length(local.ecr_repositories) == 0 ? [] : [
        {
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = distinct(local.ecr_repositories)
        },
        {
          # This action knows no resources.
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
      ],
    )
  })
}
