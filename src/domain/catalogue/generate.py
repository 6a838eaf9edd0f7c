#!/usr/bin/env python3
"""Writes sizes.tsv and prices.tsv: the sizes of Azure that Node Auto Provisioning may choose, and what they cost.

    ./generate.py SKUS.csv PRICES.csv

SKUS.csv    one row per size: sku, vcpus, memory_gib, max_data_disks, premium_io, arch, nap_sku_family, nap_sku_series,
            version, nap_selectable. Taken from public sources: vCPUs, memory and architecture from the cluster autoscaler's
            azure_instance_types.go, disks from the Azure Disk CSI driver's azure_dd_max_disk_count.go, names and what NAP
            accepts from karpenter-provider-azure (known_skus.yaml, skus.go, instancetypes.go).
PRICES.csv  one row per region and size: region, sku, on_demand_usd_per_hour, corrected_usd_per_hour. Taken from the static
            price table of karpenter-provider-azure (zz_generated.pricing.go). Where its AMD v5 figures carry the Windows
            licence of the Cloud Services meter (0.046 USD per vCPU-hour), the corrected figure is used.
"""
import csv
import pathlib
import sys

# When the figures were listed, and where; change both together with the input.
LISTED = "2026-06-18"
COMMIT = "352646f5"

SIZES_HEADER = """\
# Azure virtual machine sizes that Node Auto Provisioning (NAP) may choose. Written by generate.py; do not edit.
# name\tfamily\tseries\tversion\tvcpus\tmemory_gib\tmax_data_disks\tpremium\tarch
"""
PRICES_HEADER = f"""\
# Prices of the sizes by region: Linux, pay-as-you-go, USD per hour, as karpenter-provider-azure listed them on {LISTED}
# (commit {COMMIT}); AMD v5 series without the Windows licence that its table holds by mistake. "-" is not known.
# Written by generate.py; do not edit. The next line names the regions.
"""


def price_of(row: dict[str, str]) -> str:
    """The price in as few digits as it takes; all of the source's are kept."""
    price = f"{float(row['corrected_usd_per_hour'] or row['on_demand_usd_per_hour']):.6f}".rstrip("0").rstrip(".")
    return price if float(price) > 0 else "-"


def main(skus: str, prices: str) -> None:
    folder = pathlib.Path(__file__).parent
    with open(skus, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["nap_selectable"] == "true"]
    rows.sort(key=lambda row: (row["nap_sku_family"], row["nap_sku_series"], int(row["vcpus"]), row["sku"]))
    with open(folder / "sizes.tsv", "w") as out:
        out.write(SIZES_HEADER)
        for row in rows:
            # NAP gives sizes without a version suffix version 1.
            version = row["version"].removeprefix("v") or "1"
            premium = {"true": "yes", "false": "no"}.get(row["premium_io"], "-")
            cells = [
                row["sku"], row["nap_sku_family"], row["nap_sku_series"], version, row["vcpus"], row["memory_gib"],
                row["max_data_disks"] or "-", premium, row["arch"],
            ]
            out.write("\t".join(cells) + "\n")
    price: dict[str, dict[str, str]] = {}
    with open(prices, newline="") as file:
        for row in csv.DictReader(file):
            price.setdefault(row["region"], {})[row["sku"]] = price_of(row)
    regions = sorted(price)
    with open(folder / "prices.tsv", "w") as out:
        out.write(PRICES_HEADER)
        out.write("\t".join(["name", *regions]) + "\n")
        for row in rows:
            out.write("\t".join([row["sku"], *(price[region].get(row["sku"], "-") for region in regions)]) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
