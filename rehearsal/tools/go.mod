module trunkline/rehearsal/tools

go 1.25

require github.com/pulumi/pulumi/pkg/v3 v3.259.0

tool github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
