check "instance" {
  data "yandex_compute_instance" "runner" {
    instance_id = yandex_compute_instance.runner.id
    depends_on  = [terraform_data.power]
  }

  assert {
    condition     = data.yandex_compute_instance.runner.status == local.power
    error_message = "The runner ${var.runner_id} is not ${local.power}."
  }
}
