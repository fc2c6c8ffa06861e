
variable "image_id" {
  description = "The disk image a new instance starts from."
  type        = string
}

variable "disk_size" {
  description = "The boot disk in GiB."
  type        = number
}

variable "subnet_id" {
  description = "The subnet the instance is attached to."
  type        = string
}

variable "security_group_ids" {
  description = "The instance's security groups; none means the network's default one."
  type        = list(string)
}

variable "public_address" {
  description = "Whether the instance gets a public address."
  type        = bool
}

variable "cloud_init" {
  description = "The egg's cloud-init, to which the runner's own files are added."
  type        = string
}

variable "gosling_download" {
  description = "Where a new instance gets gosling, and the file's SHA-256."

  type = object({
    url    = string
    sha256 = string
  })
}
