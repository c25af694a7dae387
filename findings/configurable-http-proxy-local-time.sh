#!/usr/bin/env bash
# configurable-http-proxy 0.4.0 (PyPI): a hub sees activity that is hours in the future
#
# Expected: The package is "a python implementation of configurable-http-proxy". The
#   REST API of configurable-http-proxy returns last_activity in UTC, with a Z, and
#   accepts inactiveSince (in this package also inactive_since) in ISO 8601. JupyterHub
#   6.1.1 requests the routes every five minutes, and interprets a time without an
#   offset as UTC.
# Seen: last_activity is the proxy's local time, without an offset. On a machine in
#   India (UTC+05:30), JupyterHub stores that a server was used five and a half hours in
#   the future, and keeps the latest time that it has read. If inactive_since has a Z,
#   the answer is status 500, because the two times can't be compared.
# Why it matters: Idle servers aren't culled for hours, and a bot that lists who was
#   active when lists times in the future. West of Greenwich, the times are too old
#   instead. Run the proxy with TZ=UTC, and don't trust activity times in the future.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  configurable-http-proxy==0.4.0 jupyterhub==6.1.1 sqlalchemy==2.1.9 tornado==6.6.1 \
  traitlets==5.16.1 python-dateutil==4.0.0

cat >"$work/activity.py" <<'PYTHON'
import asyncio
import json
import logging
from datetime import datetime, timezone
from types import SimpleNamespace

from configurable_http_proxy.configproxy import PythonProxy
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from tornado.httpclient import AsyncHTTPClient
from tornado.netutil import bind_sockets
from tornado.httpserver import HTTPServer

logging.disable()


async def read_activity(routes):
    """Return the last activity that a hub stores for ada's server after it has read these routes."""
    db = orm.new_session_factory("sqlite://")()
    server = orm.Spawner(name="", user=orm.User(name="ada"))
    db.add(server)
    db.commit()

    async def get_all_routes():
        return {path: {"data": data} for path, data in routes.items()}

    async def check_routes(*arguments):
        pass

    proxy = SimpleNamespace(get_all_routes=get_all_routes, check_routes=check_routes)
    hub = SimpleNamespace(
        db=db, proxy=proxy, users={}, _service_map={}, active_user_window=1800, log=logging.getLogger()
    )
    await JupyterHub.update_last_activity(hub)
    return server.last_activity


async def main():
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(PythonProxy().api_app).add_sockets(sockets)
    api = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/api/routes"
    client = AsyncHTTPClient()
    route = {"target": "http://127.0.0.1:9", "user": "ada", "server_name": ""}
    await client.fetch(f"{api}/user/ada", method="POST", body=json.dumps(route))
    routes = json.loads((await client.fetch(api)).body)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    print("offset written:", datetime.fromisoformat(routes["/user/ada"]["last_activity"]).utcoffset())
    minutes = (await read_activity(routes) - now).total_seconds() / 60
    print("the hub's last activity is ahead by", round(minutes), "minutes")
    answer = await client.fetch(f"{api}?inactive_since=2027-01-01T00:00:00Z", raise_error=False)
    print("inactive_since with a Z:", answer.code)


asyncio.run(main())
PYTHON
for zone in UTC0 IST-5:30; do
  seen="${seen:+$seen
}TZ=$zone
$(TZ=$zone "$work/venv/bin/python" -W ignore "$work/activity.py")"
done

echo "configurable-http-proxy 0.4.0 with jupyterhub 6.1.1, a route that was just added"
echo "Expected: 0 minutes in each time zone, and status 200."
echo "Seen:"
echo "$seen"
wanted="TZ=UTC0
offset written: None
the hub's last activity is ahead by 0 minutes
inactive_since with a Z: 500
TZ=IST-5:30
offset written: None
the hub's last activity is ahead by 330 minutes
inactive_since with a Z: 500"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
