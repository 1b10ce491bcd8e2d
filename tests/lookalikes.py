"""Small files in the exact formats of the datasets that cannot be had in a test."""

import pickle
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

IMAGES = "1.0_Original_Fundus_Images"
MASKS = "3.0_Doctors_Annotations_Binary_OD_OC"


def lidc_entries(patients: int, slices: int = 2, side: int = 128) -> dict[str, dict[str, Any]]:
    """Entries as in ``data_lidc.pickle``: raters who marked nothing have float64 masks."""
    rng = np.random.default_rng(3)
    entries = {}
    for patient in range(patients):
        for number in range(slices):
            masks = [np.zeros((side, side), np.uint8) for _ in range(3)] + [np.zeros((side, side))]
            for rater in range(3):
                low, high = np.array([3, 5 + rater]) * side // 16
                masks[rater][low:high, low:high] = 1
            entries[f"6279.6001.{patient:04}_slice{number + 40}[lesion{number + 1}]"] = {
                "image": rng.random((side, side)),
                "masks": masks,
                "series_uid": UID(f"1.3.6.1.4.{patient}"),
                "pixel_spacing": MultiValue(DSfloat, ["0.703125", "0.703125"]),
            }
    return entries


def write_lidc(folder: Path, entries: Mapping[str, Any], protocol: int = 3) -> tuple[Path, Path]:
    """Write the pickle, and TCIA's list of the patients of its series."""
    path, metadata = folder / "data_lidc.pickle", folder / "LIDC-IDRI_MetaData.csv"
    with path.open("wb") as file:
        pickle.dump(entries, file, protocol=protocol)
    series = sorted({str(entry["series_uid"]) for entry in entries.values()})
    lines = ["Subject ID,Modality,Series ID", *(f"LIDC-{s},CT,{s}" for s in series)]
    metadata.write_text("\n".join(lines))
    return path, metadata


def write_dicom(
    path: Path, pixels: np.ndarray, *, series: str, z: float, number: int, intercept: float
) -> None:
    """Write one CT slice (y, x) of stored values; HU = value + intercept."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID, data.Modality, data.InstanceNumber = series, "CT", number
    data.ImagePositionPatient = [-170.0, -170.0, z]
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.RescaleSlope, data.RescaleIntercept = "1", str(intercept)
    data.PixelData = pixels.astype("<i2").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, data, enforce_file_format=True)


def chaksu_members(
    part: str, counts: Mapping[str, int], shape: tuple[int, int] = (96, 80), scale: int = 1
) -> dict[str, bytes]:
    """Members of an archive of Chákṣu IMAGE, with its mixed case, for ``counts`` of each camera.

    Expert e's disc is a rectangle of 40 + 2e rows and 40 columns, the cup one of 16 + 2e by 16,
    both centred. ``scale`` makes all of it so many times as large.
    """
    height, width = shape
    members = {}
    for camera, count in counts.items():
        for number in range(count):
            stem = f"Image{number + 1}"
            picture = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
            picture = _enlarged(picture, scale)
            suffix = (".JPG", ".jpg", ".png")[number % 3]
            name = f"{part}/{part}/{IMAGES}/{camera}/{stem}{suffix}"
            members[name] = _encoded(picture, "PNG" if suffix == ".png" else "JPEG")
            for expert in range(1, 6):
                for kind, side in (("Disc", 40), ("cup", 16)):
                    mask = np.zeros((height, width), np.uint8)
                    rows, columns = side // 2 + expert, side // 2
                    mask[
                        height // 2 - rows : height // 2 + rows,
                        width // 2 - columns : width // 2 + columns,
                    ] = 255
                    stem_here = stem.lower() if expert == 2 else stem
                    folder = f"{part}/{part}/{MASKS}/Expert {expert}/{camera}/{kind}"
                    members[f"{folder}/{stem_here}.tif"] = _encoded(_enlarged(mask, scale), "TIFF")
    members[f"__MACOSX/{part}/{IMAGES}/Bosch/._Image1.JPG"] = b"junk of the archiver"
    members[f"{part}/{part}/{IMAGES}/Bosch/.DS_Store"] = b"junk"
    members[f"{part}/{part}/{IMAGES}/Bosch/Thumbs.db"] = b"junk"
    return members


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write a zip archive with ``members``, whatever their names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def write_tree(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write ``members`` to files below ``path``."""
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def write_chaksu(
    folder: Path, train: Mapping[str, int], test: Mapping[str, int], scale: int = 1
) -> tuple[Path, Path]:
    """Write ``Train.zip`` and ``Test.zip`` with so many images of each camera."""
    return tuple(
        write_zip(folder / f"{part}.zip", chaksu_members(part, counts, scale=scale))
        for part, counts in (("Train", train), ("Test", test))
    )


def _enlarged(pixels: np.ndarray, scale: int) -> np.ndarray:
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def _encoded(pixels: np.ndarray, form: str) -> bytes:
    data = BytesIO()
    Image.fromarray(pixels).save(data, form)
    return data.getvalue()
