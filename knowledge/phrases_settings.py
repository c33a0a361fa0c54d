"""Sentences about files that say how containers are started: Compose files and Kubernetes manifests."""

from __future__ import annotations

PHRASES_SETTINGS: dict[str, tuple[str, str]] = {
    # why a file cannot be read: one line, the file, the way out
    "settings-missing": ("{file}: no such file.", "{file}：文件不存在。"),
    "settings-empty": ("{file}: is empty.", "{file}：文件为空。"),
    "settings-too-large": (
        "{file}: has {size:bytes}, and at most {limit:bytes} are read. Is it the right file?",
        "{file}：大小为 {size:bytes}，最多读取 {limit:bytes}。是否选错了文件？",
    ),
    "settings-binary": ("{file}: is binary, not YAML.", "{file}：是二进制文件，不是 YAML。"),
    "settings-not-utf8": (
        "{file}:{line}: byte {byte} is not UTF-8. Save the file as UTF-8.",
        "{file}:{line}：字节 {byte} 不是 UTF-8。请把文件另存为 UTF-8。",
    ),
    "settings-explodes": (
        "{file}: holds, or its aliases expand to, more than {limit} values.",
        "{file}：内容（含别名展开）超过 {limit} 个值。",
    ),
    "settings-cyclic": (
        "{file}:{line}: an alias points back at what contains it. Remove the alias.",
        "{file}:{line}：别名指回了包含它自己的节点。请删除该别名。",
    ),
    "settings-late": ("{file}: could not be read within {seconds} s.", "{file}：{seconds} 秒内未能读取。"),
    "option-empty": ("{flag}: is empty. Give a value, or leave it out.", "{flag}：值为空。请给出值，或去掉该选项。"),
    "settings-both": (
        "--container, --compose and --kubernetes: give one of them.",
        "--container、--compose 与 --kubernetes：只能指定其中一个。",
    ),
    "service-alone": (
        "--service {name}: give the file with --compose or --kubernetes.",
        "--service {name}：请同时用 --compose 或 --kubernetes 指定文件。",
    ),
    "compose-no-services": (
        "{file}: has no services, so it is no Compose file. A Kubernetes manifest goes with --kubernetes.",
        "{file}：没有 services，不是 Compose 文件。Kubernetes 清单请用 --kubernetes。",
    ),
    "compose-no-such-service": (
        "{file}: has no service {name}. It has: {names}.",
        "{file}：没有名为 {name} 的服务。现有服务：{names}。",
    ),
    "compose-which-service": (
        "{file}: has several services. Name one with --service: {names}.",
        "{file}：有多个服务。请用 --service 指定一个：{names}。",
    ),
    "compose-service-wrong": ("{file}:{line}: the service {name} is no mapping.", "{file}:{line}：服务 {name} 不是映射。"),
    "compose-extends-wrong": (
        "{file}:{line}:{column}: extends the service {name}, which {other} does not have.",
        "{file}:{line}:{column}：extends 引用了服务 {name}，但 {other} 中没有。",
    ),
    "compose-extends-cycle": ("{file}:{line}: the service {name} extends itself.", "{file}:{line}：服务 {name} 通过 extends 引用了自己。"),
    "compose-ipc-wrong": (
        "{file}:{line}:{column}: joins the IPC namespace of the service {name}, which there is not. There are: {names}.",
        "{file}:{line}:{column}：要加入服务 {name} 的 IPC 命名空间，但没有这个服务。现有服务：{names}。",
    ),
    "compose-ipc-cycle": (
        "{file}:{line}:{column}: the IPC namespaces of the services go in a circle, by {name}.",
        "{file}:{line}:{column}：服务之间的 IPC 命名空间循环引用（{name}）。",
    ),
    "compose-too-many-files": (
        "{file}: extends and include lead to more than {limit} files.",
        "{file}：extends 和 include 引用的文件超过 {limit} 个。",
    ),
    "compose-size-wrong": (
        "{file}:{line}:{column}: {name}: '{text}' is no size. Write it like 512mb or 8gb.",
        "{file}:{line}:{column}：{name}：“{text}”不是大小。请写成 512mb、8gb 这样的形式。",
    ),
    "compose-tmpfs-wrong": (
        "{file}:{line}:{column}: '{text}': the kernel refuses this size, and the container does not start. "
        "Write a whole number with k, m or g: size=8g.",
        "{file}:{line}:{column}：“{text}”：内核不接受这样的大小，容器无法启动。请写整数加 k、m 或 g，例如 size=8g。",
    ),
    "compose-variable-required": (
        "{file}:{line}:{column}: the variable {name} must be set ({message}). Set it in the environment or in .env.",
        "{file}:{line}:{column}：必须设置变量 {name}（{message}）。请在环境变量或 .env 中设置。",
    ),
    "compose-variable-wrong": (
        "{file}:{line}:{column}: '{text}' is no right use of a variable. Write $$ for a dollar sign.",
        "{file}:{line}:{column}：“{text}”中变量的写法有误。美元符号请写成 $$。",
    ),
    "kubernetes-no-containers": (
        "{file}: has no pod with containers, so it is no Kubernetes manifest of one. A Compose file goes with --compose.",
        "{file}：没有带 containers 的 Pod，不是相应的 Kubernetes 清单。Compose 文件请用 --compose。",
    ),
    "kubernetes-no-such-service": (
        "{file}: has no container {name}. It has: {names}.",
        "{file}：没有名为 {name} 的容器。现有容器：{names}。",
    ),
    "kubernetes-which-service": (
        "{file}: has several containers. Name one with --service: {names}.",
        "{file}：有多个容器。请用 --service 指定一个：{names}。",
    ),
    "kubernetes-quantity-wrong": (
        "{file}:{line}:{column}: '{text}' is no quantity. Write it like 512Mi, 8Gi or 500m.",
        "{file}:{line}:{column}：“{text}”不是 Kubernetes 的数量。请写成 512Mi、8Gi、500m 这样的形式。",
    ),
    # why a fact of a container that is still to be started could not be had
    "no-container-settings": ("no container was asked for", "没有指定容器"),
    "shm-not-told-disk": (
        "/dev/shm of {name} is a folder on a disk, which has no size of its own",
        "{name} 的 /dev/shm 是磁盘上的目录，没有自己的容量",
    ),
    "shm-not-told-host": (
        "/dev/shm of {name} is that of the machine it will run on, which is not this one; --assume shm=… tells its size",
        "{name} 的 /dev/shm 就是运行它的那台机器的，而不是本机的；可用 --assume shm=… 给出大小",
    ),
    "shm-not-told-bind": (
        "/dev/shm of {name} is a folder of the machine it will run on; --assume shm=… tells its size",
        "{name} 的 /dev/shm 是运行它的那台机器上的目录；可用 --assume shm=… 给出大小",
    ),
    "shm-not-told-container": (
        "/dev/shm of {name} is that of another container, which the file does not describe; --assume shm=… tells its size",
        "{name} 的 /dev/shm 属于另一个容器，文件中没有它的设置；可用 --assume shm=… 给出大小",
    ),
    "shm-not-told-tmpfs": (
        "/dev/shm of {name} is sized by the memory of the machine it will run on; --assume shm=… tells its size",
        "{name} 的 /dev/shm 大小取决于运行它的那台机器的内存；可用 --assume shm=… 给出大小",
    ),
    "shm-not-told-empty-dir": (
        "/dev/shm of {name} is a memory volume without sizeLimit: as large as the memory limit of the pod or, without one, as what the node has",
        "{name} 的 /dev/shm 是没有 sizeLimit 的内存卷：大小为 Pod 的内存上限；没有上限时取决于节点的内存",
    ),
    "shm-not-told-volume": (
        "/dev/shm of {name} is a volume of which the file tells no size; --assume shm=… tells it",
        "{name} 的 /dev/shm 是一个卷，文件中没有它的大小；可用 --assume shm=… 给出大小",
    ),
    "shm-not-told-page": (
        "/dev/shm of {name} gets less than a page, which is a slip of the unit (ENV113)",
        "{name} 的 /dev/shm 不到一个内存页，应为单位写错（见 ENV113）",
    ),
    "no-container-file": (
        "no file that starts a container was given (--compose, --kubernetes)",
        "没有给出启动容器的文件（--compose、--kubernetes）",
    ),
    "no-shared-memory-file": ("the file gives the container no /dev/shm (ENV113)", "文件没有给容器 /dev/shm（见 ENV113）"),
    "packages-of-image": (
        "what is installed in the image of {name} ({image}) is not known here",
        "无法在此得知 {name} 的镜像（{image}）里装了什么",
    ),
    "cpus-not-told": (
        "nothing tells how many processors the container may use; --assume cpus=… does",
        "无从得知容器可用多少处理器；可用 --assume cpus=… 给出",
    ),
    "gpus-not-told": (
        "nothing tells how many GPUs the container gets; --assume gpus=… does",
        "无从得知容器有几块 GPU；可用 --assume gpus=… 给出",
    ),
    # the head of the report
    "looked-compose": (
        "judged for a container of the service {name} of {file}, as it would be started; the other files are those of this machine",
        "按 {file} 中服务 {name} 将启动的容器判断；其他文件取自本机",
    ),
    "looked-kubernetes": (
        "judged for the container {name} of {file}, as it would be started; the other files are those of this machine",
        "按 {file} 中容器 {name} 将启动的样子判断；其他文件取自本机",
    ),
    # the command line
    "help-check-compose": (
        "judge for a service of this Compose file, as it would be started; nothing is started",
        "按该 Compose 文件中的服务判断（不启动任何容器）",
    ),
    "help-check-kubernetes": (
        "judge for a container of this Kubernetes manifest; no cluster is asked",
        "按该 Kubernetes 清单中的容器判断（不访问集群）",
    ),
    "help-check-service": (
        "the service of the Compose file, or the container of the manifest (OWNER/NAME where several have the name)",
        "Compose 文件中的服务，或清单中的容器（重名时写成 OWNER/NAME）",
    ),
}
"""Key → (English, Chinese), as templates of `knowledge.template`."""
