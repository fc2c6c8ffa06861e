
variable "egg_config" {
  description = "What the runner is told of its egg or job, as JSON."
  type        = string
}

variable "image" {
  description = "The container image a new runner starts from, in Yandex Container Registry."
  type        = string
}

variable "cores" {
  description = "vCPUs."
  type        = number
}

variable "core_fraction" {
  description = "The guaranteed share of each vCPU, in percent."
  type        = number
}

variable "memory" {
  description = "Memory in MiB, a multiple of 128."
  type        = number
}

variable "disk_size" {
  description = "The ephemeral disk in GiB."
  type        = number
}

variable "network_id" {
  description = "The network the container is connected to; none means the internet only."
  type        = string
}

variable "service_account_id" {
  description = "The service account that pulls the image; none for a public image."
  type        = string
}

variable "invoker_id" {
  description = "The service account that invokes the container: the orchestrator's."
  type        = string
}
