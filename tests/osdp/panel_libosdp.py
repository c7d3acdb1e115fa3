"""A control panel of the package `libosdp` (the C library LibOSDP), which says in one JSON object a line what it sees.

    panel_libosdp.py run PORT ADDRESS SCBK [plain] [ask]   until its standard input ends; `ask`: gives it commands
"""
import json
import os
import sys
import termios
import threading
import time
import tty

from osdp import Channel, Command, ControlPanel, Event, LibFlag, LogLevel, PDInfo


def say(**what):
    print(json.dumps(what), flush=True)


class Line(Channel):
    """A serial port without waiting."""

    def __init__(self, port):
        super().__init__()
        self.file = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.file)

    def read(self, max_bytes):
        try:
            return os.read(self.file, max_bytes)
        except (BlockingIOError, OSError):
            return b""

    def write(self, buf):
        try:
            return os.write(self.file, buf)
        except OSError:
            return 0

    def flush(self):
        termios.tcflush(self.file, termios.TCIFLUSH)


def on_event(_, event):
    if event["event"] == Event.CardRead:
        say(card=bytes(event["data"]).hex(), bits=event["length"], format=event["format"], reader=event["reader_no"])
    return 0


def main():
    port, address, scbk = sys.argv[2], int(sys.argv[3]), bytes.fromhex(sys.argv[4])
    plain = "plain" in sys.argv
    flags = [] if plain else [LibFlag.EnforceSecure]
    info = PDInfo(address, Line(port), scbk=None if plain else scbk, flags=flags)
    panel = ControlPanel([info], log_level=LogLevel.Critical, event_handler=on_event)
    panel.set_command_completion_handler(lambda _, command, status: say(command=command["command"], status=status))
    panel.start()
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    was, asked = None, "ask" not in sys.argv
    while not done.is_set():
        now = (panel.is_sc_active(address), panel.is_online(address))
        if now != was:
            say(secure=now[0], online=now[1])
            was = now
        if now[1] and not asked:
            asked = True
            ident = panel.get_pd_id(address)
            say(id={"serial": ident.serial_number})
            for command in (
                {"command": Command.LED, "reader": 0, "led_number": 0, "control_code": 1, "on_count": 10,
                 "off_count": 10, "on_color": 1, "off_color": 0, "timer_count": 0, "temporary": False},
                {"command": Command.Buzzer, "reader": 0, "control_code": 1, "on_count": 10, "off_count": 10, "rep_count": 1},
            ):
                say(submitted=bool(panel.submit_command(address, command)))
        time.sleep(0.02)
    panel.stop()


main()
