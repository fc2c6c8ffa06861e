# One runner on Yandex Cloud.

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

  power = var.pool == "nadir" ? "stopped" : "running"
}

resource "yandex_compute_instance" "runner" {
  name        = "gosling-${var.runner_id}"
  description = "GitLab runner of the ${local.owner_kind} ${local.owner}"
  platform_id = var.platform_id
  zone        = var.zone
  labels      = local.labels

  resources {
    cores         = var.cores
    core_fraction = var.core_fraction
    memory        = var.memory
  }

  boot_disk {
    # The disk can't have labels of its own here; its name tells whose it is. It goes with the instance.
    initialize_params {
      name     = "gosling-${var.runner_id}"
      image_id = var.image_id
      type     = "network-ssd"
      size     = var.disk_size
    }
  }

  network_interface {
    subnet_id          = var.subnet_id
    nat                = var.public_address
    security_group_ids = var.security_group_ids
  }

  metadata = {
    user-data = local.user_data
  }

  lifecycle {
    # A runner keeps the shape it was made with: a changed egg makes new runners and disturbs no running job.
    ignore_changes = [boot_disk, metadata, network_interface, platform_id, resources, zone]
  }
}

# The provider can't stop or start an instance, so gosling does it, by the Compute API. Asking for the state that the
# instance already has does nothing. `allow_stopping_for_update` stays off: nothing else may stop a runner.
resource "terraform_data" "power" {
  triggers_replace = {
    instance_id = yandex_compute_instance.runner.id
    power       = local.power
  }

  provisioner "local-exec" {
    command = "\"$GOSLING\" power --cloud yandex --instance \"$INSTANCE_ID\" --state \"$POWER\""

    environment = {
      GOSLING     = var.gosling
      INSTANCE_ID = yandex_compute_instance.runner.id
      POWER       = local.power
    }
  }
}
