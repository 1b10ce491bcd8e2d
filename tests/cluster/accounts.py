"""Accounting of a cluster: slurmdbd and its database, so that sacct answers."""

import slurm

DATABASE = """\
AuthInfo=socket={folder}/munge.socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={storage}
StorageUser=slurm
StoragePass=slurm
PidFile={folder}/slurmdbd.pid
"""


def keep(cluster: slurm.Cluster, host: str) -> str:
    """Start slurmdbd with its database, and an account of root; returns lines of slurm.conf."""
    folder = cluster.folder
    port, storage = slurm.free_ports(2)
    data, user = f"--datadir={folder}/database", "--user=root"
    method = "--auth-root-authentication-method=normal"
    cluster.run("mariadb-install-db", "--no-defaults", data, user, method)
    own = (f"--socket={folder}/database.socket", f"--port={storage}")
    cluster.start("mariadbd", "--no-defaults", data, user, "--bind-address=127.0.0.1", *own)
    client = ("mariadb", "--no-defaults", own[0])
    slurm.wait_for(lambda: cluster.run(*client, "-e", "SELECT 1"))
    grant = "GRANT ALL ON *.* TO slurm@'127.0.0.1' IDENTIFIED BY 'slurm'"
    cluster.run(*client, "-e", grant)
    settings = folder / "slurmdbd.conf"
    settings.touch(0o600)
    settings.write_text(DATABASE.format(host=host, folder=folder, port=port, storage=storage))
    lines = (
        "AccountingStorageType=accounting_storage/slurmdbd",
        "AccountingStorageHost=127.0.0.1",
        f"AccountingStoragePort={port}",
        f"AccountingStoragePass={folder}/munge.socket",
        "AccountingStorageTRES=gres/gpu",
    )
    # sacctmgr reads this much before there is the whole.
    names = f"ClusterName=segue\nSlurmctldHost={host}\nAuthInfo=socket={folder}/munge.socket\n"
    (folder / "slurm.conf").write_text(names + "\n".join(lines) + "\n")
    cluster.start("slurmdbd", "-D")
    slurm.wait_for(lambda: cluster.run("sacctmgr", "-n", "show", "cluster") is not None)
    for what in (["cluster", "segue"], ["account", "lab"], ["user", "root", "account=lab"]):
        cluster.run("sacctmgr", "-i", "add", *what)
    return "\n".join(lines)
