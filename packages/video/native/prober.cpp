// Tells what ffprobe would tell of video files, one after the other, without starting a program for each: of the 0.1 s that
// ffprobe takes for a small file nine tenths are its start. It links the same libraries, opens files with the same options,
// and answers in the same words, so that the reader of its answers is that of ffprobe's.
//
// First it writes FFmpeg's version, a line. A request is a line `header <seconds> <bytes>` or `packets <seconds> <bytes>` and so
// many bytes of path; the answer is a line for each packet (if asked for), a line with streams and container, and the line
// `done`. A file that cannot be read in full order is answered by `failed`: what is wrong with it is for ffprobe to say. It
// ends with its input, and in a request that takes more than so many seconds of processor time: nobody else may be left to end it.

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <sys/time.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

// The fields of one JSON object, in order; what is not known is left out, as ffprobe does.
class Fields {
 public:
  void number(const char* name, int64_t value) { add(name, std::to_string(value)); }

  void text(const char* name, const char* value) {
    if (value == nullptr) return;
    std::string quoted = "\"";
    for (const char* at = value; *at != '\0'; at++) {
      // Names and numbers are ASCII; of free text nothing is needed that is not.
      if (*at == '"' || *at == '\\') quoted += '\\';
      if (*at >= ' ' && *at <= '~') quoted += *at;
    }
    add(name, quoted + '"');
  }

  void ratio(const char* name, AVRational value, char separator) {
    const std::string both = std::to_string(value.num) + separator + std::to_string(value.den);
    text(name, both.c_str());
  }

  void seconds(const char* name, int64_t ticks, AVRational timeBase) {
    if (ticks == AV_NOPTS_VALUE) return;
    char digits[64];
    std::snprintf(digits, sizeof digits, "%f", ticks * av_q2d(timeBase));
    text(name, digits);
  }

  void object(const char* name, const std::string& value) { add(name, value); }

  std::string json() const { return "{ " + fields_ + " }"; }

 private:
  void add(const char* name, const std::string& value) {
    if (!fields_.empty()) fields_ += ", ";
    fields_ += std::string("\"") + name + "\": " + value;
  }

  std::string fields_;
};

struct CloseFormat {
  void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
};
struct FreeCodec {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
using Format = std::unique_ptr<AVFormatContext, CloseFormat>;
using Codec = std::unique_ptr<AVCodecContext, FreeCodec>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;

Format openFile(const std::string& path) {
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  av_dict_set(&options, "scan_all_pmts", "1", 0);
  AVFormatContext* format = nullptr;
  const int status = avformat_open_input(&format, ("file:" + path).c_str(), nullptr, &options);
  av_dict_free(&options);
  if (status < 0) return nullptr;
  Format opened(format);
  return avformat_find_stream_info(format, nullptr) < 0 ? nullptr : std::move(opened);
}

// Whether each stream's decoder opens, where there is one; ffprobe gives a file up for which that is not so.
bool decodersOpen(AVFormatContext* format) {
  for (unsigned index = 0; index < format->nb_streams; index++) {
    AVStream* stream = format->streams[index];
    const AVCodec* decoder = avcodec_find_decoder(stream->codecpar->codec_id);
    if (decoder == nullptr) continue;
    Codec codec(avcodec_alloc_context3(decoder));
    if (codec == nullptr || avcodec_parameters_to_context(codec.get(), stream->codecpar) < 0) return false;
    codec->pkt_timebase = stream->time_base;
    codec->framerate = stream->avg_frame_rate;
    if (avcodec_open2(codec.get(), decoder, nullptr) < 0) return false;
  }
  return true;
}

void printPackets(AVFormatContext* format) {
  Packet packet(av_packet_alloc());
  while (packet != nullptr && av_read_frame(format, packet.get()) >= 0) {
    const AVStream* stream = format->streams[packet->stream_index];
    const char* kind = av_get_media_type_string(stream->codecpar->codec_type);
    const AVRational timeBase = stream->time_base;
    const std::string flags = {packet->flags & AV_PKT_FLAG_KEY ? 'K' : '_', packet->flags & AV_PKT_FLAG_DISCARD ? 'D' : '_'};
    Fields fields;
    fields.text("codec_type", kind == nullptr ? "unknown" : kind);
    fields.number("stream_index", packet->stream_index);
    fields.seconds("pts_time", packet->pts, timeBase);
    fields.seconds("dts_time", packet->dts, timeBase);
    if (packet->duration != 0) fields.seconds("duration_time", packet->duration, timeBase);
    fields.text("flags", flags.c_str());
    std::puts(fields.json().c_str());
    av_packet_unref(packet.get());
  }
}

const int32_t* displayMatrix(const AVStream* stream) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
  const AVCodecParameters* codec = stream->codecpar;
  const AVPacketSideData* data =
      av_packet_side_data_get(codec->coded_side_data, codec->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return data != nullptr && data->size >= 9 * sizeof(int32_t) ? reinterpret_cast<const int32_t*>(data->data) : nullptr;
#else
  for (int k = 0; k < stream->nb_side_data; k++) {
    const auto& data = stream->side_data[k];
    if (data.type == AV_PKT_DATA_DISPLAYMATRIX && static_cast<size_t>(data.size) >= 9 * sizeof(int32_t))
      return reinterpret_cast<const int32_t*>(data.data);
  }
  return nullptr;
#endif
}

std::string describeStream(AVFormatContext* format, AVStream* stream) {
  const AVCodecParameters* codec = stream->codecpar;
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(codec->codec_id);
  Fields fields;
  fields.number("index", stream->index);
  if (descriptor != nullptr) fields.text("codec_name", descriptor->name);
  fields.text("codec_type", av_get_media_type_string(codec->codec_type));
  if (codec->codec_type == AVMEDIA_TYPE_VIDEO) {
    fields.number("width", codec->width);
    fields.number("height", codec->height);
    const AVRational aspect = av_guess_sample_aspect_ratio(format, stream, nullptr);
    if (aspect.num != 0) fields.ratio("sample_aspect_ratio", aspect, ':');
    fields.text("pix_fmt", av_get_pix_fmt_name(static_cast<AVPixelFormat>(codec->format)));
  }
  fields.ratio("r_frame_rate", stream->r_frame_rate, '/');
  fields.ratio("avg_frame_rate", stream->avg_frame_rate, '/');
  fields.ratio("time_base", stream->time_base, '/');
  if (stream->start_time != AV_NOPTS_VALUE) fields.number("start_pts", stream->start_time);
  fields.seconds("start_time", stream->start_time, stream->time_base);
  fields.seconds("duration", stream->duration, stream->time_base);
  if (stream->nb_frames != 0) fields.text("nb_frames", std::to_string(stream->nb_frames).c_str());
  Fields disposition;
  disposition.number("attached_pic", (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0);
  fields.object("disposition", disposition.json());
  if (const AVDictionaryEntry* tag = av_dict_get(stream->metadata, "DURATION", nullptr, AV_DICT_MATCH_CASE)) {
    Fields tags;
    tags.text("DURATION", tag->value);
    fields.object("tags", tags.json());
  }
  if (const int32_t* matrix = displayMatrix(stream)) {
    const double degrees = av_display_rotation_get(matrix);
    Fields rotation;
    rotation.number("rotation", degrees == degrees ? static_cast<int64_t>(degrees) : 0);
    fields.object("side_data_list", "[ " + rotation.json() + " ]");
  }
  return fields.json();
}

void printHeader(AVFormatContext* format) {
  std::string streams;
  for (unsigned index = 0; index < format->nb_streams; index++) {
    streams += (index == 0 ? "" : ", ") + describeStream(format, format->streams[index]);
  }
  Fields container;
  container.text("format_name", format->iformat->name);
  container.seconds("duration", format->duration, AVRational{1, AV_TIME_BASE});
  Fields all;
  all.object("streams", "[ " + streams + " ]");
  all.object("format", container.json());
  std::puts(all.json().c_str());
}

// Ends this program when it has computed for so long; 0 takes the limit away.
void limitProcessorTime(long seconds) {
  itimerval limit{};
  limit.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &limit, nullptr);
}

bool answer(const std::string& path, bool withPackets) {
  const Format format = openFile(path);
  if (format == nullptr || !decodersOpen(format.get())) return false;
  if (withPackets) printPackets(format.get());
  printHeader(format.get());
  return true;
}

}  // namespace

int main() {
  av_log_set_level(AV_LOG_QUIET);
  std::puts(av_version_info());
  std::fflush(stdout);
  char kind[16];
  long seconds = 0;
  size_t bytes = 0;
  // One character after the number: the line break, not whatever a path begins with.
  while (std::scanf("%15s %ld %zu%*c", kind, &seconds, &bytes) == 3) {
    std::string path(bytes, '\0');
    if (std::fread(&path[0], 1, bytes, stdin) != bytes) break;
    limitProcessorTime(seconds);
    std::puts(answer(path, std::strcmp(kind, "packets") == 0) ? "done" : "failed");
    limitProcessorTime(0);
    std::fflush(stdout);
  }
  return 0;
}
