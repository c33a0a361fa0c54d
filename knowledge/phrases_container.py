"""Sentences about a container that is looked at from outside: its daemon, what could not be had, and where the report looked."""

from __future__ import annotations

PHRASES_CONTAINER: dict[str, tuple[str, str]] = {
    # why the daemon cannot be asked: one line, the socket, the way out
    "docker-sdk-missing": (
        "--container needs the Docker SDK for Python: pip install 'paddle-doctor[docker]'",
        "--container 需要 Docker 的 Python SDK：pip install 'paddle-doctor[docker]'",
    ),
    "daemon-no-socket": (
        "{socket}: no Docker or Podman socket is there. Start the daemon, or name another socket with --docker-host",
        "{socket}：没有 Docker 或 Podman 的套接字。请启动守护进程，或用 --docker-host 指定别的套接字",
    ),
    "daemon-no-permission": (
        "{socket}: no permission to use it. Join the socket's group (sudo usermod -aG docker $USER, then log in anew), or run this with sudo",
        "{socket}：没有访问权限。请加入套接字所属的组（sudo usermod -aG docker $USER，然后重新登录），或用 sudo 运行",
    ),
    "daemon-not-listening": (
        "{socket}: nobody listens there. Start the daemon (sudo systemctl start docker), or name another socket with --docker-host",
        "{socket}：没有程序在监听。请启动守护进程（sudo systemctl start docker），或用 --docker-host 指定别的套接字",
    ),
    "daemon-silent": (
        "{socket}: takes connections and does not answer within {seconds} s. Restart the daemon (sudo systemctl restart docker)",
        "{socket}：接受连接，但 {seconds} 秒内没有应答。请重启守护进程（sudo systemctl restart docker）",
    ),
    "daemon-version": (
        "{socket}: speaks another version of the Docker API ({error}). Update the older of the two, the daemon or the Docker SDK, "
        "or unset DOCKER_API_VERSION",
        "{socket}：Docker API 版本不兼容（{error}）。请升级守护进程与 Docker SDK 中较旧的一方，或取消设置 DOCKER_API_VERSION",
    ),
    "daemon-not-docker": (
        "{socket}: what answers there is neither Docker nor Podman. Name the daemon's socket with --docker-host",
        "{socket}：应答的既不是 Docker 也不是 Podman。请用 --docker-host 指定守护进程的套接字",
    ),
    "daemon-bad-address": (
        "{socket}: is no address of a daemon. Write --docker-host unix:///var/run/docker.sock or tcp://HOST:PORT",
        "{socket}：不是守护进程的地址。请写成 --docker-host unix:///var/run/docker.sock 或 tcp://HOST:PORT",
    ),
    "daemon-ssh": (
        "{socket}: the Docker SDK needs paramiko for SSH (pip install paramiko)",
        "{socket}：Docker SDK 通过 SSH 连接需要 paramiko（pip install paramiko）",
    ),
    "daemon-unknown-host": (
        "{socket}: no machine of this name is known. Check the address after --docker-host or in DOCKER_HOST",
        "{socket}：找不到这个名字的主机。请检查 --docker-host 或 DOCKER_HOST 中的地址",
    ),
    "daemon-failed": ("{socket}: the daemon refuses ({error})", "{socket}：守护进程拒绝了请求（{error}）"),
    "docker-host-alone": (
        "--docker-host: name the container or image as well, with --container",
        "--docker-host：请同时用 --container 指定容器或镜像",
    ),
    "container-unknown": (
        "--container {name}: {socket} knows no such container or image. `docker ps -a` lists the containers",
        "--container {name}：{socket} 上没有这个容器或镜像。可用 `docker ps -a` 查看所有容器",
    ),
    "container-unknown-similar": (
        "--container {name}: {socket} knows no such container or image. Did you mean {similar}?",
        "--container {name}：{socket} 上没有这个容器或镜像。是否指 {similar}？",
    ),
    "container-gone": (
        "container {name}: was removed while it was looked at. Start it again, and then this",
        "容器 {name}：检查过程中被删除。请重新启动容器后再运行",
    ),
    "container-slow": (
        "container {name}: could not be looked through within {seconds} s. Run paddle-doctor inside it",
        "容器 {name}：{seconds} 秒内未能检查完。请在容器内运行 paddle-doctor",
    ),
    "container-archive-damaged": (
        "what the daemon sent of the container's files is no whole archive ({error})",
        "守护进程发来的容器文件不是完整的归档（{error}）",
    ),
    "container-no-room": (
        "container {name}: its files cannot be copied to {folder} ({error}). Set TMPDIR to a folder with room",
        "容器 {name}：无法把其中的文件复制到 {folder}（{error}）。请把 TMPDIR 设为有空间的目录",
    ),
    "container-config-missing": (
        "{file}: no such file in container {name} (relative paths count from {folder})",
        "{file}：容器 {name} 中没有这个文件（相对路径以 {folder} 为起点）",
    ),
    "container-config-unseen": (
        "{file}: lies in container {name} where it cannot be read from outside, such as on a tmpfs. "
        "Start the container, or run paddle-doctor inside it",
        "{file}：位于容器 {name} 中从外部无法读取的地方，例如 tmpfs。请启动该容器，或在容器内运行 paddle-doctor",
    ),
    "image-config-missing": (
        "{file}: no such file here, and what is inside image {name} cannot be read before a container of it is made. "
        "Give the config's path on this machine, or: docker create --name NAME {name}, then --container NAME",
        "{file}：本机没有这个文件；镜像 {name} 中的文件要先创建容器才能读取。请给出配置在本机的路径，或先 "
        "docker create --name NAME {name}，再用 --container NAME",
    ),
    # why a fact of a container could not be had
    "shm-not-told": (
        "nothing tells how large /dev/shm of {name} is ({origin})",
        "无从得知 {name} 的 /dev/shm 有多大（{origin}）",
    ),
    "images-in-container": (
        "images inside a container are not looked at from outside; run paddle-doctor inside it",
        "不从外部检查容器内的图片；请在容器内运行 paddle-doctor",
    ),
    "no-python": ("no Python was found there, or it could not be looked for", "没有找到 Python，或无法查找"),
    "path-not-seen": (
        "{file}: cannot be seen from here; in the container it may be there",
        "{file}：从这里看不到，容器里可能有",
    ),
    "folder-not-listed": ("{folder}: what is in it could not be listed", "{folder}：无法列出其中的内容"),
    # the head of the report
    "looked-container": (
        "looked into container {name} (image {image}, {state}, ipc {ipc}); paths are the container's, and commands are for its shell, "
        "but docker, nsenter and paddle-doctor for the host's",
        "检查对象：容器 {name}（镜像 {image}，{state}，ipc {ipc}）；路径均为容器内的路径；命令请在容器的 shell 中执行，"
        "docker、nsenter 和 paddle-doctor 则在宿主机上执行",
    ),
    "looked-image": (
        "judged for a container of image {name} as `docker run` would start it; the files are those of this machine",
        "按 `docker run` 启动镜像 {name} 所得的容器判断；文件是本机的文件",
    ),
    "shm-free-unknown": (
        "how much of its /dev/shm is in use could not be measured; it is judged as if all of it were free",
        "无法测得其 /dev/shm 已用多少，按全部空闲判断",
    ),
    "looked-lost": ("container {name} could not be asked: {why}", "无法查询容器 {name}：{why}"),
    "state-running": ("running", "运行中"),
    "state-paused": ("paused", "已暂停"),
    "state-restarting": ("restarting", "正在重启"),
    "state-created": ("created, not started", "已创建，未启动"),
    "state-exited": ("stopped", "已停止"),
    "state-dead": ("dead", "已失效"),
}
"""Key → (English, Chinese), as templates of `knowledge.template`."""
