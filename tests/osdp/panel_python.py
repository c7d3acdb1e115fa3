"""A control panel of the package `osdp` (pure Python), which says in one JSON object a line what it sees.

    panel_python.py scbk MASTER CUID                 the key that it gives to a reader
    panel_python.py run PORT ADDRESS MASTER [plain] [ask]
                                                     until its standard input ends; `ask`: everything that readers are asked

It derives the reader's key from a master key and the reader's cUID, as many panels do.
"""
import json
import logging
import sys
import threading
import time

import osdp
from osdp._secure_channel import calculate_scbk


def say(**what):
    print(json.dumps(what), flush=True)


class Panel(osdp.ControlPanel):
    def on_raw_card_data_reply_received(self, address, card):
        say(card=card.data.hex(), bits=card.bit_count, format=card.format_code.value, reader=card.reader_number)

    def on_nak_reply_received(self, address, nak):
        say(nak=nak.error_code.value)


def watch(panel, bus, address):
    """Says when the channel opens and closes, and once it is open asks what is to be asked."""
    was = None
    asked = "ask" not in sys.argv
    while True:
        # pylint: disable=protected-access
        device = panel._buses[bus]._configured_devices[address]
        secure, online = device.is_security_established, device.is_online
        if (secure, online) != was:
            say(secure=secure, online=online)
            was = (secure, online)
        if online and not asked and secure:
            asked = True
            ask(panel, bus, address)
        time.sleep(0.05)


def ask(panel, bus, address):
    ident = panel.id_report(bus, address)
    say(id={"serial": ident.serial_number, "vendor": ident.vendor_code.hex()})
    say(capabilities=str(panel.device_capabilities(bus, address)))
    status = panel.local_status(bus, address)
    say(tamper=bool(status.tamper), power_failure=bool(status.power_failure))
    say(readers=str(panel.reader_status(bus, address)))
    led = osdp.ReaderLedControl(
        0, 0, osdp.TemporaryReaderControlCode.Nop, 1, 1, osdp.LedColor.Red, osdp.LedColor.Green, 0,
        osdp.PermanentReaderControlCode.SetPermanentState, 1, 0, osdp.LedColor.Green, osdp.LedColor.Black)
    say(led=panel.reader_led_control(bus, address, osdp.ReaderLedControls([led])))
    say(asked=True)


def main():
    if sys.argv[1] == "scbk":
        print(calculate_scbk(bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])).hex())
        return
    port, address, master = sys.argv[2], int(sys.argv[3]), bytes.fromhex(sys.argv[4])
    logging.getLogger("osdp").setLevel(logging.CRITICAL)
    panel = Panel(master)
    bus = panel.start_connection(osdp.SerialPortOsdpConnection(port, 115200))
    panel.add_device(bus, address, True, "plain" not in sys.argv)
    threading.Thread(target=watch, args=(panel, bus, address), daemon=True).start()
    sys.stdin.read()
    panel.shutdown()


main()
