# The egg's cloud-init, and in it the files that are this runner's own. Values are merged as data, never as text, so
# none of them can change what the rest means.
locals {
  cloud_init = yamldecode(var.cloud_init)

  runner_files = [
    {
      path        = "/etc/gosling/runner.json"
      permissions = "0644"
      content = jsonencode({
        runner_id          = var.runner_id
        (local.owner_kind) = local.owner
        orchestrator_url   = var.orchestrator_url
        egg_file           = "/etc/gosling/egg.json"
        ticket_file        = "/etc/gosling/ticket"
      })
    },
    {
      path        = "/etc/gosling/ticket"
      permissions = "0600"
      content     = var.ticket
    },
    {
      path        = "/etc/gosling/download-url"
      permissions = "0644"
      content     = var.gosling_download.url
    },
    {
      path        = "/etc/gosling/download-sha256"
      permissions = "0644"
      content     = var.gosling_download.sha256
    },
  ]

  user_data = join("\n", [
    "#cloud-config",
    yamlencode(merge(local.cloud_init, {
      write_files = concat(local.cloud_init.write_files, local.runner_files)
    })),
  ])
}
