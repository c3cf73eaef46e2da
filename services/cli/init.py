"""``recount init``: write what a NATS server elsewhere needs, and start nothing. Containers begin with it."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, say
from services.secrets import FOLDER_MODE, ensure_secrets, write_private
from services.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def init(
        data: DataOption = DATA_DEFAULT,
        store: Annotated[
            str, typer.Option(metavar="DIR", help="Where that server keeps its streams, as it sees the disk.")
        ] = "/data/nats",
        listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where that server listens.")] = "0.0.0.0:4222",
        max_bytes: Annotated[
            int, typer.Option(metavar="BYTES", help="How much its streams may fill; 0: most of what is free here.")
        ] = 0,
    ) -> None:
        """Make the secrets, check the configuration, and write DIR/nats/nats.conf for a server that runs elsewhere."""
        # Imported here, because every verb loads every file of this folder.
        from pathlib import Path

        from services.supervisor.data_folder import prepare_folder
        from services.supervisor.http_door import parse_address
        from services.supervisor.nats_config import NatsOptions, render_config
        from services.supervisor.nats_server import CONFIG_NAME, store_bytes_max

        prepare_folder(data)
        load_settings(data)
        secrets = ensure_secrets(data)
        folder = data / "nats"
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        address = parse_address(listen, "--listen")
        options = NatsOptions(
            folder=Path(store),
            host=address.host,
            port=address.port,
            monitor_port=8222,
            file_store_bytes_max=max_bytes or store_bytes_max(folder),
            passwords=secrets.nats,
        )
        write_private(folder / CONFIG_NAME, render_config(options).encode())
        say(f"Secrets and {folder / CONFIG_NAME} are written.")
