"""Writes DICOM whole-slide images from a JSON description on standard input, with pydicom."""
import json, struct, sys, warnings
import numpy
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixel_data_handlers.rle_handler import rle_encode_frame
from pydicom.sequence import Sequence

warnings.simplefilter('ignore')
VOLUME = '1.2.840.10008.5.1.4.1.1.77.1.6'


def write(spec):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = spec.get('sop', VOLUME)
    meta.MediaStorageSOPInstanceUID = spec['uid']
    meta.TransferSyntaxUID = spec['syntax']
    d = FileDataset(spec['file'], {}, file_meta=meta, preamble=b'\0' * 128)
    d.is_little_endian = True
    d.is_implicit_VR = spec['syntax'] == '1.2.840.10008.1.2'
    d.SOPClassUID, d.SOPInstanceUID = spec.get('sop', VOLUME), spec['uid']
    d.SeriesInstanceUID = spec.get('series', '1.2.3.4')
    d.SeriesDescription = spec.get('description', 'H&E section')
    d.Modality, d.Manufacturer = 'SM', 'Tinctor tests'
    d.ImageType = ['ORIGINAL', 'PRIMARY', spec.get('role', 'VOLUME'), 'NONE']
    samples, bits = spec['samples'], spec['bits']
    d.SamplesPerPixel, d.PhotometricInterpretation = samples, spec['photometric']
    if samples > 1:
        d.PlanarConfiguration = spec.get('planar', 0)
    d.Rows, d.Columns = spec['rows'], spec['columns']
    d.BitsAllocated = d.BitsStored = bits
    d.HighBit, d.PixelRepresentation = bits - 1, 0
    d.TotalPixelMatrixColumns, d.TotalPixelMatrixRows = spec['width'], spec['height']
    frames = [open(name, 'rb').read() for name in spec['frames']]
    if spec['syntax'] == '1.2.840.10008.1.2.5':
        shape = (spec['rows'], spec['columns']) + ((samples,) if samples > 1 else ())
        frames = [rle_encode_frame(numpy.frombuffer(frame, f'<u{bits // 8}').reshape(shape)) for frame in frames]
    d.NumberOfFrames = spec.get('stated', len(frames))
    if spec.get('mpp'):
        measures = Dataset()
        measures.PixelSpacing = [spec['mpp'] / 1000, spec['mpp'] / 1000]
        shared = Dataset()
        shared.PixelMeasuresSequence = Sequence([measures])
        d.SharedFunctionalGroupsSequence = Sequence([shared])
    if spec.get('volume'):
        d.ImagedVolumeWidth = spec['volume']
    paths = []
    for name in spec.get('paths', ['']):
        path = Dataset()
        path.OpticalPathIdentifier, path.OpticalPathDescription = name or '1', name
        path.ObjectiveLensPower = 20
        if spec.get('icc'):
            path.ICCProfile = open(spec['icc'], 'rb').read()
        # A sequence inside, with an unknown length.
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = '111744', 'DCM', 'Brightfield'
        path.IlluminationTypeCodeSequence = Sequence([code])
        path['IlluminationTypeCodeSequence'].is_undefined_length = True
        paths.append(path)
    d.OpticalPathSequence = Sequence(paths)
    if spec.get('focal'):
        d.TotalPixelMatrixFocalPlanes = spec['focal']
    d.DimensionOrganizationType = 'TILED_SPARSE' if 'places' in spec else 'TILED_FULL'
    groups = []
    for x, y, z, path in spec.get('places', []):
        position = Dataset()
        position.ColumnPositionInTotalImagePixelMatrix, position.RowPositionInTotalImagePixelMatrix = x + 1, y + 1
        position.ZOffsetInSlideCoordinateSystem = z
        group = Dataset()
        group.PlanePositionSlideSequence = Sequence([position])
        if path:
            reference = Dataset()
            reference.OpticalPathIdentifier = path
            group.OpticalPathIdentificationSequence = Sequence([reference])
        groups.append(group)
    if groups:
        d.PerFrameFunctionalGroupsSequence = Sequence(groups)
    if 'part' in spec:
        d.ConcatenationUID, d.ConcatenationFrameOffsetNumber = spec['whole'], spec['part']
    table = spec.get('table', 'basic')
    if spec['syntax'] in ('1.2.840.10008.1.2', '1.2.840.10008.1.2.1'):
        data = b''.join(frames)
        d.PixelData = data + b'\0' * (len(data) % 2)
        d['PixelData'].VR = 'OB' if bits == 8 else 'OW'
    elif table == 'extended':
        # pydicom 2.3 counts frames of an odd length without their padding.
        even = [frame + b'\0' * (len(frame) % 2) for frame in frames]
        d.PixelData, d.ExtendedOffsetTable, d.ExtendedOffsetTableLengths = encapsulate_extended(even)
    elif table == 'damaged':
        # pydicom refuses to write empty frames.
        even = [frame + b'\0' * (len(frame) % 2) for frame in frames]
        d.PixelData = b''.join(struct.pack('<HHI', 0xFFFE, 0xE000, len(item)) + item for item in [b'', *even])
    else:
        d.PixelData = encapsulate(frames, fragments_per_frame=spec.get('fragments', 1), has_bot=table == 'basic')
    if d['PixelData'].VR != 'OW':
        d['PixelData'].VR = 'OB'
    d['PixelData'].is_undefined_length = spec['syntax'] not in ('1.2.840.10008.1.2', '1.2.840.10008.1.2.1')
    for tag in spec.get('without', []):
        del d[tag]
    d.save_as(spec['file'], write_like_original=False)


for spec in json.load(sys.stdin):
    write(spec)
