# One runner on Yandex Serverless Containers. The container itself costs nothing; an invocation is the runner awake.

locals {
  # Labels of Yandex Cloud hold lower-case letters, digits, `-` and `_`, 63 at most.
  labels = {
    for key, value in {
      gosling-nest                  = var.nest
      "gosling-${local.owner_kind}" = local.owner
      gosling-runner                = var.runner_id
      gosling-commit                = var.commit
    } : key => substr(replace(lower(value), "/[^-_0-9a-z]/", "_"), 0, 63)
  }
}

resource "yandex_serverless_container" "runner" {
  name        = "gosling-${var.runner_id}"
  description = "GitLab runner of the ${local.owner_kind} ${local.owner}"
  labels      = local.labels

  cores         = var.cores
  core_fraction = var.core_fraction
  memory        = var.memory

  # One invocation is one runner, and none lives longer than an hour.
  concurrency       = 1
  execution_timeout = "3600s"

  # Pulls the image. Jobs can't get its token: there is no metadata service in the container.
  service_account_id = var.service_account_id

  metadata_options {
    gce_http_endpoint    = 2
    aws_v1_http_endpoint = 2
  }

  runtime {
    type = "http"
  }

  image {
    url  = var.image
    args = ["runner", "--from", "request"]
  }

  # The rest of the file system lies in memory.
  mounts {
    mount_point_path = "/mnt"
    mode             = "rw"

    ephemeral_disk {
      size_gb = var.disk_size
    }
  }

  dynamic "connectivity" {
    for_each = var.network_id == null ? [] : [var.network_id]

    content {
      network_id = connectivity.value
    }
  }

  # The answer to an invocation comes after an hour; nobody waits for it.
  async_invocation {
    service_account_id = var.invoker_id
  }

  lifecycle {
    # A runner keeps the shape it was made with: a changed egg makes new runners and disturbs no running job.
    ignore_changes = [connectivity, core_fraction, cores, image, memory, mounts, service_account_id]
  }
}

# Only the orchestrator may wake this runner, and by this it may wake nothing else.
resource "yandex_serverless_container_iam_binding" "invoker" {
  container_id = yandex_serverless_container.runner.id
  role         = "serverless-containers.containerInvoker"
  members      = ["serviceAccount:${var.invoker_id}"]
}

# What the runner is told, as it was when the runner was made.
resource "terraform_data" "told" {
  input = {
    egg_config = var.egg_config

    runner_config = jsonencode({
      runner_id          = var.runner_id
      (local.owner_kind) = local.owner
      orchestrator_url   = var.orchestrator_url
    })
  }

  lifecycle {
    ignore_changes = [input]
  }
}

# The provider can't invoke a container, so gosling does it. Asking for the state that the runner already has does
# nothing.
resource "terraform_data" "invocation" {
  count = var.pool == "apex" ? 1 : 0

  triggers_replace = [yandex_serverless_container.runner.id]

  # What it takes to stop the invocation.
  input = {
    container_id = yandex_serverless_container.runner.id
    gosling      = var.gosling
    runner_id    = var.runner_id
  }

  provisioner "local-exec" {
    command = "\"$GOSLING\" power --cloud yandex --container \"$CONTAINER_ID\" --runner \"$RUNNER_ID\" --state running"

    environment = {
      CONTAINER_ID  = yandex_serverless_container.runner.id
      CONTAINER_URL = yandex_serverless_container.runner.url
      EGG_CONFIG    = terraform_data.told.output.egg_config
      GOSLING       = var.gosling
      RUNNER_CONFIG = terraform_data.told.output.runner_config
      RUNNER_ID     = var.runner_id
      TICKET        = var.ticket
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "\"$GOSLING\" power --cloud yandex --container \"$CONTAINER_ID\" --runner \"$RUNNER_ID\" --state stopped"

    environment = {
      CONTAINER_ID = self.output.container_id
      GOSLING      = self.output.gosling
      RUNNER_ID    = self.output.runner_id
    }
  }

  depends_on = [yandex_serverless_container_iam_binding.invoker]
}
