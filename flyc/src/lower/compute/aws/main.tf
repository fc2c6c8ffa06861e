# One runner on Amazon EC2.

locals {
  # Tags of EC2 hold letters, digits, spaces and `+ - = . _ : / @`, 256 at most.
  tags = {
    for key, value in {
      Name                          = "gosling-${var.runner_id}"
      gosling-nest                  = var.nest
      "gosling-${local.owner_kind}" = local.owner
      gosling-runner                = var.runner_id
      gosling-commit                = var.commit
    } : key => substr(replace(value, "/[^-+=._:\\/@ 0-9A-Za-z]/", "_"), 0, 256)
  }

  power = var.pool == "nadir" ? "stopped" : "running"
}

resource "aws_instance" "runner" {
  ami           = var.image_id
  instance_type = var.instance_type

  subnet_id                   = var.subnet_id
  vpc_security_group_ids      = var.security_group_ids
  associate_public_ip_address = var.public_address

  user_data   = local.user_data
  tags        = local.tags
  volume_tags = local.tags

  # A runner that shuts itself down is stopped, as in pool nadir, and not destroyed behind OpenTofu's back.
  instance_initiated_shutdown_behavior = "stop"

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"

    # One hop reaches the machine, but no job container on it.
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.disk_size
    encrypted   = true
  }

  lifecycle {
    # A runner keeps the shape it was made with: a changed egg makes new runners and disturbs no running job.
    ignore_changes = [
      ami,
      associate_public_ip_address,
      instance_type,
      metadata_options,
      root_block_device,
      subnet_id,
      user_data,
      vpc_security_group_ids,
    ]
  }
}

resource "aws_ec2_instance_state" "runner" {
  instance_id = aws_instance.runner.id
  state       = local.power
}
