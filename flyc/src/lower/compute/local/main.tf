# One runner as a process of this machine. Values reach the scripts by the environment only, so no value is ever read
# as shell.

# The folder is what a disk is to an instance: it stays while the runner is stopped, and goes with the runner.
resource "terraform_data" "home" {
  input            = var.folder
  triggers_replace = [var.folder, var.runner_id]

  provisioner "local-exec" {
    command = "sh \"$MODULE/make.sh\""

    environment = {
      MODULE     = path.module
      FOLDER     = var.folder
      EGG_CONFIG = var.egg_config
      TICKET     = var.ticket
      RUNNER_CONFIG = jsonencode({
        runner_id          = var.runner_id
        (local.owner_kind) = local.owner
        orchestrator_url   = var.orchestrator_url
        egg_file           = "${var.folder}/egg.json"
        ticket_file        = "${var.folder}/ticket"
      })
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "rm -rf -- \"$FOLDER\""

    environment = {
      FOLDER = self.output
    }
  }
}

# The process is there in pool apex and gone in pool nadir.
resource "terraform_data" "process" {
  count = var.pool == "apex" ? 1 : 0

  triggers_replace = [terraform_data.home.id]

  input = {
    folder       = var.folder
    stop_timeout = var.stop_timeout
  }

  provisioner "local-exec" {
    command = "sh \"$MODULE/start.sh\""

    environment = {
      MODULE                               = path.module
      FOLDER                               = var.folder
      GOSLING                              = var.gosling
      GOSLING_NEST                         = var.nest
      "GOSLING_${upper(local.owner_kind)}" = local.owner
      GOSLING_RUNNER_ID                    = var.runner_id
      GOSLING_COMMIT                       = var.commit
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "sh \"$MODULE/stop.sh\""

    environment = {
      MODULE       = path.module
      FOLDER       = self.output.folder
      STOP_TIMEOUT = self.output.stop_timeout
    }
  }
}
