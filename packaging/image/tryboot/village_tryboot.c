// SPDX-License-Identifier: GPL-2.0
/*
 * Asks the Raspberry Pi's firmware to read tryboot.txt at the next start, once, when the machine is restarted with an argument
 * such as "0 tryboot". The vendor's kernel does so by itself; Debian's has the way to the firmware, but not this notice.
 */
#include <linux/module.h>
#include <linux/of.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

/* From the vendor's raspberrypi-firmware.h: RPI_FIRMWARE_SET_REBOOT_FLAGS, bit 0 means tryboot. */
#define SET_REBOOT_FLAGS 0x00038064
#define TRYBOOT 1

static struct rpi_firmware *firmware;

static int village_restart(struct notifier_block *block, unsigned long action, void *argument)
{
	u32 flags = TRYBOOT;
	int error;

	if (action != SYS_RESTART || !argument || !strstr(argument, "tryboot"))
		return NOTIFY_DONE;
	error = rpi_firmware_property(firmware, SET_REBOOT_FLAGS, &flags, sizeof(flags));
	if (error)
		pr_err("village_tryboot: the firmware refused (%d); the committed slot will start\n", error);
	else
		pr_info("village_tryboot: the next start is a trial\n");
	return NOTIFY_DONE;
}

static struct notifier_block village_block = { .notifier_call = village_restart };

static int __init village_tryboot_init(void)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, "raspberrypi,bcm2835-firmware");
	int error;

	if (!node)
		return -ENODEV;
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	if (!firmware)
		return -EPROBE_DEFER;
	error = register_reboot_notifier(&village_block);
	if (error)
		rpi_firmware_put(firmware);
	return error;
}

static void __exit village_tryboot_exit(void)
{
	unregister_reboot_notifier(&village_block);
	rpi_firmware_put(firmware);
}

module_init(village_tryboot_init);
module_exit(village_tryboot_exit);
MODULE_ALIAS("of:NfirmwareT*Craspberrypi,bcm2835-firmware");
MODULE_ALIAS("of:NfirmwareT*Craspberrypi,bcm2835-firmwareC*");
MODULE_DESCRIPTION("One-shot trial of a boot slot on a Raspberry Pi");
MODULE_LICENSE("GPL");
