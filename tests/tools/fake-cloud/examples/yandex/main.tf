terraform {
  required_providers {
    yandex = { source = "yandex-cloud/yandex" }
  }
}
variable "step" {
  description = "What is changed from one apply to the next."
  type        = number
}
provider "yandex" {
  zone      = "ru-central1-b"
  folder_id = "b1gabcdefabcdefabcde"
}
data "yandex_resourcemanager_folder" "f" { folder_id = "b1gabcdefabcdefabcde" }
data "yandex_compute_image" "i" { family = "debian-12" }
resource "yandex_vpc_network" "n" { name = "n" }
resource "yandex_vpc_gateway" "g" {
  name = "g"
  shared_egress_gateway {}
}
resource "yandex_vpc_route_table" "r" {
  network_id = yandex_vpc_network.n.id
  static_route {
    destination_prefix = "0.0.0.0/0"
    gateway_id         = yandex_vpc_gateway.g.id
  }
}
resource "yandex_vpc_subnet" "s" {
  name           = "s"
  network_id     = yandex_vpc_network.n.id
  v4_cidr_blocks = ["10.1.0.0/24"]
  route_table_id = yandex_vpc_route_table.r.id
}
resource "yandex_vpc_security_group" "sg" {
  network_id = yandex_vpc_network.n.id
  egress {
    protocol       = "ANY"
    v4_cidr_blocks = ["0.0.0.0/0"]
  }
  ingress {
    protocol       = "TCP"
    port           = 443
    v4_cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "yandex_vpc_address" "a" {
  name = "a"
  external_ipv4_address { zone_id = "ru-central1-b" }
}
resource "yandex_iam_service_account" "sa" { name = "sa" }
resource "yandex_resourcemanager_folder_iam_member" "m" {
  folder_id = data.yandex_resourcemanager_folder.f.id
  role      = "editor"
  member    = "serviceAccount:${yandex_iam_service_account.sa.id}"
}
resource "yandex_iam_service_account_static_access_key" "k" { service_account_id = yandex_iam_service_account.sa.id }
resource "yandex_message_queue" "d" {
  name       = "d"
  access_key = yandex_iam_service_account_static_access_key.k.access_key
  secret_key = yandex_iam_service_account_static_access_key.k.secret_key
}
resource "yandex_message_queue" "q" {
  name           = "q${var.step}"
  access_key     = yandex_iam_service_account_static_access_key.k.access_key
  secret_key     = yandex_iam_service_account_static_access_key.k.secret_key
  redrive_policy = jsonencode({ deadLetterTargetArn = yandex_message_queue.d.arn, maxReceiveCount = 3 })
}
resource "yandex_container_registry" "c" { name = "reg" }
resource "yandex_container_repository" "r" { name = "${yandex_container_registry.c.id}/r" }
resource "yandex_serverless_container" "c" {
  name               = "con"
  memory             = 512
  cores              = 1
  service_account_id = yandex_iam_service_account.sa.id
  image {
    url         = "cr.yandex/x:${var.step}"
    environment = { A = "b" }
  }
}
resource "yandex_serverless_container_iam_binding" "b" {
  container_id = yandex_serverless_container.c.id
  role         = "serverless.containers.invoker"
  members      = ["serviceAccount:${yandex_iam_service_account.sa.id}"]
}
resource "yandex_function" "f" {
  name       = "fun"
  user_hash  = var.step
  runtime    = "golang121"
  entrypoint = "x"
  memory     = 128
  package {
    bucket_name = yandex_storage_bucket.b.bucket
    object_name = "f.zip"
  }
}
resource "yandex_function_trigger" "t" {
  name = "tri"
  timer { cron_expression = "* * ? * * *" }
  container {
    id                 = yandex_serverless_container.c.id
    service_account_id = yandex_iam_service_account.sa.id
    retry_attempts     = 1
    retry_interval     = 10
  }
}
resource "yandex_api_gateway" "g" {
  name = "gate"
  spec = "openapi: 3.0.0"
}
resource "yandex_ydb_database_serverless" "y" { name = "y" }
resource "yandex_ydb_table" "t" {
  path              = "jobs"
  connection_string = yandex_ydb_database_serverless.y.ydb_full_endpoint
  primary_key       = ["id"]
  column {
    name = "id"
    type = "Utf8"
  }
}
resource "yandex_ydb_table_index" "i" {
  table_id = yandex_ydb_table.t.id
  name     = "i"
  type     = "global_sync"
  columns  = ["id"]
}
resource "yandex_storage_bucket" "b" { bucket = "b-x" }
resource "yandex_storage_object" "o" {
  bucket  = yandex_storage_bucket.b.bucket
  key     = "a/b.txt"
  content = "x"
}
resource "yandex_lockbox_secret" "s" { name = "s" }
resource "yandex_lockbox_secret_iam_member" "m" {
  secret_id = yandex_lockbox_secret.s.id
  role      = "lockbox.payloadViewer"
  member    = "serviceAccount:${yandex_iam_service_account.sa.id}"
}
resource "yandex_kms_symmetric_key" "k" { name = "k" }
resource "yandex_logging_group" "l" { name = "log" }
resource "yandex_compute_disk" "d" {
  name   = "d"
  labels = { step = var.step }
  size   = 10
}
resource "yandex_compute_instance" "i" {
  name = "i"
  boot_disk {
    initialize_params { image_id = "${data.yandex_compute_image.i.id}${var.step}" }
  }
  resources {
    cores  = 2
    memory = 2
  }
  network_interface {
    subnet_id          = yandex_vpc_subnet.s.id
    security_group_ids = [yandex_vpc_security_group.sg.id]
    nat                = true
  }
  secondary_disk { disk_id = yandex_compute_disk.d.id }
}
data "yandex_compute_instance" "i" { instance_id = yandex_compute_instance.i.id }

resource "yandex_compute_instance_group" "g" {
  service_account_id = yandex_iam_service_account.sa.id
  instance_template {
    boot_disk {
      initialize_params { image_id = data.yandex_compute_image.i.id }
    }
    resources {
      cores  = 2
      memory = 2
    }
    network_interface { subnet_ids = [yandex_vpc_subnet.s.id] }
  }
  allocation_policy { zones = ["ru-central1-b"] }
  deploy_policy {
    max_expansion   = 0
    max_unavailable = 1
  }
  scale_policy {
    fixed_scale { size = 1 }
  }
}
resource "yandex_function_iam_binding" "b" {
  function_id = yandex_function.f.id
  role        = "functions.functionInvoker"
  members     = ["serviceAccount:${yandex_iam_service_account.sa.id}"]
}
resource "yandex_function_scaling_policy" "p" {
  function_id = yandex_function.f.id
  policy {
    tag                  = "$latest"
    zone_instances_limit = 2
  }
}
resource "yandex_ydb_database_dedicated" "d" {
  name               = "dedicated"
  network_id         = yandex_vpc_network.n.id
  subnet_ids         = [yandex_vpc_subnet.s.id]
  resource_preset_id = "medium"
  scale_policy {
    fixed_scale { size = 1 }
  }
  storage_config {
    group_count     = 1
    storage_type_id = "ssd"
  }
}
resource "yandex_storage_bucket_policy" "p" {
  bucket = yandex_storage_bucket.b.bucket
  policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
resource "yandex_iam_service_account_iam_member" "m" {
  service_account_id = yandex_iam_service_account.sa.id
  role               = "editor"
  member             = "serviceAccount:${yandex_iam_service_account.sa.id}"
}
resource "yandex_lockbox_secret_version" "v" {
  secret_id = yandex_lockbox_secret.s.id
  entries {
    key        = "k"
    text_value = "not to be printed"
  }
}
resource "yandex_kms_symmetric_key_iam_member" "m" {
  symmetric_key_id = yandex_kms_symmetric_key.k.id
  role             = "kms.keys.encrypterDecrypter"
  member           = "serviceAccount:${yandex_iam_service_account.sa.id}"
}
data "yandex_vpc_network" "n" { network_id = yandex_vpc_network.n.id }
data "yandex_vpc_subnet" "s" {
  name       = "s"
  depends_on = [yandex_vpc_subnet.s]
}
data "yandex_vpc_subnet" "elsewhere" { subnet_id = "e9b0123456789abcdefg" }
data "yandex_iam_service_account" "sa" { service_account_id = yandex_iam_service_account.sa.id }
output "seen" {
  value = {
    network   = data.yandex_vpc_network.n.name
    subnet    = data.yandex_vpc_subnet.s.network_id == yandex_vpc_network.n.id
    elsewhere = data.yandex_vpc_subnet.elsewhere.zone
    account   = data.yandex_iam_service_account.sa.name
    status    = data.yandex_compute_instance.i.status
  }
}
