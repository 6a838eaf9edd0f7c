#!/usr/bin/env python3
"""Writes sizes.tsv: the virtual machine sizes of Azure that Node Auto Provisioning may choose.

    ./generate.py SKUS.csv PRICES.csv > sizes.tsv

SKUS.csv    one row per size: sku, vcpus, memory_gib, max_data_disks, premium_io, arch, nap_sku_family, nap_sku_series,
            version, nap_selectable. Taken from public sources: vCPUs, memory and architecture from the cluster autoscaler's
            azure_instance_types.go, disks from the Azure Disk CSI driver's azure_dd_max_disk_count.go, names and what NAP
            accepts from karpenter-provider-azure (known_skus.yaml, skus.go, instancetypes.go).
PRICES.csv  region, sku, on_demand_usd_per_hour, corrected_usd_per_hour: the static price table of
            karpenter-provider-azure (zz_generated.pricing.go). Where its AMD v5 figures carry the Windows licence of the
            Cloud Services meter (0.046 USD per vCPU-hour), the corrected figure is used.
"""
import csv
import sys

HEADER = """\
# Azure virtual machine sizes that Node Auto Provisioning (NAP) may choose. Written by generate.py; do not edit.
# Prices: East US, Linux, pay-as-you-go, USD per hour, as karpenter-provider-azure listed them on 2026-06-18
# (commit 352646f5); AMD v5 series without the Windows licence that table holds by mistake. "-" is not known.
# name\tfamily\tseries\tversion\tvcpus\tmemory_gib\tmax_data_disks\tpremium\tarch\tprice_eastus
"""
REGION = "eastus"


def main(skus: str, prices: str) -> None:
    with open(prices, newline="") as file:
        price = {
            row["sku"]: row["corrected_usd_per_hour"] or row["on_demand_usd_per_hour"]
            for row in csv.DictReader(file)
            if row["region"] == REGION
        }
    with open(skus, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["nap_selectable"] == "true"]
    rows.sort(key=lambda row: (row["nap_sku_family"], row["nap_sku_series"], int(row["vcpus"]), row["sku"]))
    sys.stdout.write(HEADER)
    for row in rows:
        # NAP gives sizes without a version suffix version 1.
        version = row["version"].removeprefix("v") or "1"
        premium = {"true": "yes", "false": "no"}.get(row["premium_io"], "-")
        cells = [
            row["sku"], row["nap_sku_family"], row["nap_sku_series"], version, row["vcpus"], row["memory_gib"],
            row["max_data_disks"] or "-", premium, row["arch"], price.get(row["sku"], "-"),
        ]
        sys.stdout.write("\t".join(cells) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
