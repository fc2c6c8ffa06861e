check "container" {
  data "yandex_serverless_container" "runner" {
    container_id = yandex_serverless_container.runner.id
  }

  assert {
    condition     = data.yandex_serverless_container.runner.revision_id == yandex_serverless_container.runner.revision_id
    error_message = "The runner ${var.runner_id} has another revision than OpenTofu made."
  }
}
