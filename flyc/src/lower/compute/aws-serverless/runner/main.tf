# One runner on AWS Fargate: a task, and not a service, which would start a finished runner again with a used-up ticket.
# OpenTofu knows no single task, so gosling starts and stops it. Asking for the state it already has does nothing.

locals {
  # Tags of ECS hold letters, digits, spaces and `+ - = . _ : / @`, 256 at most.
  tags = {
    for key, value in {
      Name                          = "gosling-${var.runner_id}"
      gosling-nest                  = var.nest
      "gosling-${local.owner_kind}" = local.owner
      gosling-runner                = var.runner_id
      gosling-commit                = var.commit
    } : key => substr(replace(value, "/[^-+=._:\\/@ 0-9A-Za-z]/", "_"), 0, 256)
  }
}

# The task is there in pool apex and gone in pool nadir. It is found by the runner's id, with which it was started.
resource "terraform_data" "task" {
  count = var.pool == "apex" ? 1 : 0

  triggers_replace = [var.cluster]

  # What it takes to stop the task.
  input = {
    cluster   = var.cluster
    gosling   = var.gosling
    region    = var.region
    runner_id = var.runner_id
  }

  provisioner "local-exec" {
    command = "\"$GOSLING\" power --cloud aws --cluster \"$CLUSTER\" --task \"$RUNNER_ID\" --definition \"$DEFINITION\" --state running"

    environment = {
      AWS_REGION = var.region
      CLUSTER    = var.cluster
      DEFINITION = var.task_definition
      GOSLING    = var.gosling
      RUNNER_ID  = var.runner_id
      TAGS       = jsonencode(local.tags)
      TICKET     = var.ticket

      NETWORK = jsonencode({
        public_address  = var.public_address
        security_groups = var.security_group_ids
        subnet          = var.subnet_id
      })

      RUNNER_CONFIG = jsonencode({
        runner_id          = var.runner_id
        (local.owner_kind) = local.owner
        orchestrator_url   = var.orchestrator_url
      })
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "\"$GOSLING\" power --cloud aws --cluster \"$CLUSTER\" --task \"$RUNNER_ID\" --state stopped"

    environment = {
      AWS_REGION = self.output.region
      CLUSTER    = self.output.cluster
      GOSLING    = self.output.gosling
      RUNNER_ID  = self.output.runner_id
    }
  }
}
