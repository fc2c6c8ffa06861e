check "cluster" {
  data "aws_ecs_cluster" "runners" {
    cluster_name = local.cluster
  }

  assert {
    condition     = data.aws_ecs_cluster.runners.status == "ACTIVE"
    error_message = "The cluster ${local.cluster} can't run tasks now."
  }
}
