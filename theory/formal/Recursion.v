(** * From one step to the next: two sizes that the pool really offers

    [G] workers with [B] slots each, all of them occupied.  Some requests depart, whichever they
    are, and an optimal admission fills their slots from a pool that holds at least as many copies
    of two sizes [x] and [x + delta] as slots are free.  The imbalance after it is at most [1 - p]
    times the one before, what the spacing costs, and what the departures deviate from a share [p]
    of all load.  Growth by the same amount on all requests drops out, as every worker has [B] of
    them; so summing over the steps bounds the average imbalance, whatever the common drift.
    Nothing here is random: [p] is any number, and every pattern of departures is allowed.

    Claims: [geometric.bfio-upper], [drift.bfio-upper]. *)

From Coq Require Import Reals Lra ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Waterfill Departures Spacing.
Import ListNotations.
Open Scope R_scope.

(** ** Departures *)

Definition total (xs : list R) : R := fold_right Rplus 0 xs.
Definition maximum (xs : list R) : R :=
  match xs with [] => 0 | x :: rest => fold_right Rmax x rest end.

(** [xi = 1] for a request that departs and 0 else. *)
Definition xi (j : job) : R := if snd j then 1 else 0.

(** [X_g = sum (xi - p) (w - y)] and [Y_g = sum (p - xi) (w - y)]. *)
Definition X (p : R) (y : Z) (jobs : list job) : R :=
  total (map (fun j => (xi j - p) * IZR (fst j - y)) jobs).
Definition Y (p : R) (y : Z) (jobs : list job) : R :=
  total (map (fun j => (p - xi j) * IZR (fst j - y)) jobs).

(** [sum_g (X_g + max_h Y_h - B p delta)^+], [X] at [x + delta] and [Y] at [x]. *)
Definition deviations (B : nat) (p : R) (x delta : Z) (workers : state) : R :=
  total (map (fun jobs =>
    Rmax 0 (X p (x + delta) jobs + maximum (map (Y p x) workers) - INR B * p * IZR delta)) workers).

Definition imb (workers : state) : R := IZR (imbalance (map held workers)).

Lemma Y_is_minus_X : forall p y jobs, Y p y jobs = - X p y jobs.
Proof. unfold X, Y. induction jobs; simpl; [ring|]. rewrite IHjobs. ring. Qed.

(** The load with every free slot given size [y]. *)
Lemma refilled : forall p y jobs,
  IZR (sum (kept jobs) + Z.of_nat (gone jobs) * y)
  = (1 - p) * IZR (held jobs) + p * INR (length jobs) * IZR y - X p y jobs.
Proof.
  intros p y jobs. rewrite load_at, minus_IZR. unfold X, held, released, leaving.
  induction jobs as [|[w [|]] jobs IH].
  - simpl. ring.
  - change (filter snd ((w, true) :: jobs)) with ((w, true) :: filter snd jobs).
    simpl length. rewrite S_INR. simpl map. simpl sum. simpl total. rewrite !plus_IZR, minus_IZR.
    unfold xi in *. simpl. lra.
  - change (filter snd ((w, false) :: jobs)) with (filter snd jobs).
    simpl length. rewrite S_INR. simpl map. simpl sum. simpl total. rewrite !plus_IZR, minus_IZR.
    unfold xi in *. simpl. lra.
Qed.

Lemma maximum_above : forall xs x, In x xs -> x <= maximum xs.
Proof.
  assert (H : forall xs x, x <= fold_right Rmax x xs).
  { induction xs; intros x; simpl; [lra|]. eapply Rle_trans; [apply IHxs|apply Rmax_r]. }
  intros [|z zs] x I; [destruct I|]. simpl. destruct I as [->|I]; [apply H|].
  induction zs as [|u us IH]; [destruct I|]. simpl. destruct I as [->|I]; [apply Rmax_l|].
  eapply Rle_trans; [now apply IH|apply Rmax_r].
Qed.

Lemma maximum_in : forall xs, xs <> [] -> In (maximum xs) xs.
Proof.
  intros [|x xs] N; [congruence|]. simpl. clear N. induction xs as [|y ys IH]; simpl; [tauto|].
  destruct (Rle_dec y (fold_right Rmax x ys)) as [H|H].
  - rewrite Rmax_right by exact H. tauto.
  - rewrite Rmax_left by lra. tauto.
Qed.

Lemma total_of_sum : forall A (f : A -> Z) xs,
  IZR (sum (map f xs)) = total (map (fun x => IZR (f x)) xs).
Proof. induction xs; simpl; [reflexivity|]. now rewrite plus_IZR, IHxs. Qed.

Lemma total_le : forall A (f g : A -> R) xs,
  Forall (fun x => f x <= g x) xs -> total (map f xs) <= total (map g xs).
Proof. induction 1; simpl; lra. Qed.

Lemma total_linear : forall A a (f g : A -> R) xs,
  total (map (fun x => a * f x + g x) xs) = a * total (map f xs) + total (map g xs).
Proof. induction xs; simpl; [ring|]. rewrite IHxs. ring. Qed.

(** What the level exceeds the upper ends by. *)
Lemma waterfill_after_departures : forall G B p x delta workers pool,
  (1 <= G)%nat -> full G B workers -> p <= 1 ->
  let s := refill workers pool in
  IZR (waterfill (loads s) (free s) x (x + delta))
  <= (1 - p) * imb workers + deviations B p x delta workers.
Proof.
  intros G B p x delta workers pool g [L F] p1 s. unfold waterfill. simpl.
  rewrite combine_maps, map_map, total_of_sum. simpl.
  set (T := level _ _ x). set (top := largest (map held workers)).
  assert (N : workers <> []) by (intros ->; simpl in L; lia).
  assert (H : exists h, In h workers /\ T = (sum (kept h) + Z.of_nat (gone h) * x)%Z).
  { assert (I : In T (map (fun jobs => sum (kept jobs) + Z.of_nat (gone jobs) * x)%Z workers)).
    { unfold T, level. rewrite combine_maps, map_map. simpl. apply largest_in.
      intros E. now apply map_eq_nil in E. }
    apply in_map_iff in I. destruct I as (h & E & I). now exists h. }
  destruct H as (h & I & E). rewrite Forall_forall in F.
  assert (K : imb workers = total (map (fun jobs => IZR (top - held jobs)) workers)).
  { unfold imb. rewrite imbalance_is_the_sum_of_gaps, map_map. fold top. apply total_of_sum. }
  rewrite K. unfold deviations. rewrite <- total_linear. apply total_le, Forall_forall.
  intros jobs J.
  assert (Q : (held h <= top)%Z) by now apply largest_above, in_map.
  assert (R : (held jobs <= top)%Z) by now apply largest_above, in_map.
  assert (S : Y p x h <= maximum (map (Y p x) workers)) by now apply maximum_above, in_map.
  rewrite Y_is_minus_X in S. apply IZR_le in Q, R.
  replace (T - sum (kept jobs) - Z.of_nat (gone jobs) * (x + delta))%Z
    with (T - (sum (kept jobs) + Z.of_nat (gone jobs) * (x + delta)))%Z by lia.
  set (m := maximum _) in *.
  assert (U : IZR (T - (sum (kept jobs) + Z.of_nat (gone jobs) * (x + delta)))
    <= (1 - p) * IZR (top - held jobs)
       + (X p (x + delta) jobs + m - INR B * p * IZR delta)).
  { rewrite minus_IZR, E, !(refilled p), (F h I), (F jobs J), minus_IZR, plus_IZR. nra. }
  assert (V : 0 <= (1 - p) * IZR (top - held jobs)).
  { rewrite minus_IZR. apply Rmult_le_pos; lra. }
  pose proof (Rmax_l 0 (X p (x + delta) jobs + m - INR B * p * IZR delta)).
  pose proof (Rmax_r 0 (X p (x + delta) jobs + m - INR B * p * IZR delta)).
  set (lack := (T - (sum (kept jobs) + Z.of_nat (gone jobs) * (x + delta)))%Z) in *.
  destruct (Z.max_spec 0 lack) as [[_ ->]|[_ ->]]; lra.
Qed.

(** ** One step, whatever departs, under any common growth *)

Lemma enough_to_fill : forall x delta s, offers x delta s ->
  (list_sum (free s) <= length (pool s))%nat.
Proof.
  intros x delta s [O _]. pose proof (count_occ_bound Z.eq_dec x (pool s)). lia.
Qed.

(** An optimal admission from a pool that holds enough copies of both sizes. *)
Definition of_two_sizes (x delta : Z) (s : step) (groups : list (list Z)) : Prop :=
  offers x delta s /\ optimal s groups.

(** After an admission of this kind all slots are full again. *)
Definition fills (G B : nat) (admission : step -> list (list Z) -> Prop) : Prop :=
  forall workers next, full G B workers -> moves admission workers next -> full G B next.

Lemma two_sizes_step : forall G B x delta workers next, (1 <= G)%nat -> full G B workers ->
  moves (of_two_sizes x delta) workers next ->
  full G B next /\ exists pool, offers x delta (refill workers pool) /\
    optimum (refill workers pool) (imbalance (map held next)).
Proof.
  intros G B x delta workers next g L (pool & groups & growth & [O [A M]] & S).
  destruct (after_a_step G B workers pool groups growth next g L (enough_to_fill _ _ _ O) A S)
    as [L' H].
  split; [exact L'|]. exists pool. split; [exact O|]. exists groups. split; [now split|].
  now rewrite H, imbalance_of_all_grown.
Qed.

Lemma two_sizes_fill : forall G B x delta, (1 <= G)%nat -> fills G B (of_two_sizes x delta).
Proof. intros G B x delta g st next L M. exact (proj1 (two_sizes_step G B _ _ _ _ g L M)). Qed.

Lemma imb_step : forall G B p x delta workers next, (1 <= G)%nat -> full G B workers -> p <= 1 ->
  (1 <= delta)%Z -> moves (of_two_sizes x delta) workers next ->
  imb next <= (1 - p) * imb workers + IZR (spacing G delta) + deviations B p x delta workers.
Proof.
  intros G B p x delta workers next g L P d M.
  destruct (two_sizes_step G B x delta workers next g L M) as (_ & pool & O & T).
  pose proof (spacing_is_enough _ x delta _ (refill_well_formed G B workers pool g L) d O T) as S.
  pose proof (waterfill_after_departures G B p x delta workers pool g L P) as F.
  cbv zeta in F. apply IZR_le in S. rewrite plus_IZR in S.
  simpl loads in S at 2. rewrite map_length, (proj1 L) in S. unfold imb at 1. lra.
Qed.

(** ** Averages over [K] steps *)

(** Sum over the steps [0], ..., [K - 1]. *)
Fixpoint upto (K : nat) (f : nat -> R) : R :=
  match K with O => 0 | S k => upto k f + f k end.

Definition average (K : nat) (f : nat -> R) : R := upto K f / INR K.

Definition run : Type := nat -> state.

(** All slots are full at first, and every step has an admission of the given kind. *)
Definition runs (G B K : nat) (admission : step -> list (list Z) -> Prop) (r : run) : Prop :=
  full G B (r 0%nat) /\ forall k, (k < K)%nat -> moves admission (r k) (r (S k)).

Lemma stays_full : forall G B K admission r, fills G B admission -> runs G B K admission r ->
  forall k, (k <= K)%nat -> full G B (r k).
Proof.
  intros G B K admission r Fill [L F]. induction k as [|k IH]; intros I; [exact L|].
  apply (Fill (r k)); [apply IH; lia|apply F; lia].
Qed.

(** A law: runs, or what leads to them, with their probabilities; and the mean over it. *)
Definition law_of {A} (allowed : A -> Prop) (law : list (R * A)) : Prop :=
  Forall (fun c => 0 <= fst c /\ allowed (snd c)) law /\ total (map fst law) = 1.

Definition mean {A} (law : list (R * A)) (f : A -> R) : R :=
  total (map (fun c => fst c * f (snd c)) law).

Lemma imb_nonnegative : forall workers, 0 <= imb workers.
Proof. intros. apply (IZR_le 0), imbalance_nonnegative. Qed.

Lemma mean_linear : forall A (law : list (R * A)) a f g,
  mean law (fun r => a * f r + g r) = a * mean law f + mean law g.
Proof.
  intros. unfold mean. rewrite <- total_linear. f_equal. apply map_ext. intros. ring.
Qed.

Lemma mean_le : forall A (allowed : A -> Prop) law f g, law_of allowed law ->
  (forall r, allowed r -> f r <= g r) -> mean law f <= mean law g.
Proof.
  intros A allowed law f g [F _] H. apply total_le. eapply Forall_impl; [|exact F].
  intros c [W I]. apply Rmult_le_compat_l; [exact W|now apply H].
Qed.

Lemma mean_constant : forall A (allowed : A -> Prop) law c, law_of allowed law ->
  mean law (fun _ => c) = c.
Proof.
  intros A allowed law c [_ E]. transitivity (c * total (map fst law)); [|rewrite E; ring].
  clear E. unfold mean. induction law; simpl; [ring|]. rewrite IHlaw. ring.
Qed.

(** A recursion, summed over its steps; with one [p] and one constant it bounds the average. *)
Lemma summed : forall K p (f c d : nat -> R),
  (forall k, (k < K)%nat -> f (S k) <= (1 - p) * f k + c k + d k) ->
  p * upto K f <= f 0%nat - f K + upto K c + upto K d.
Proof.
  induction K as [|K IH]; intros p f c d H; [simpl; lra|].
  pose proof (IH p f c d (fun k L => H k ltac:(lia))). pose proof (H K ltac:(lia)).
  simpl upto. lra.
Qed.

Lemma upto_constant : forall K c, upto K (fun _ => c) = INR K * c.
Proof. induction K; intros c; [simpl; ring|]. rewrite S_INR. simpl. rewrite IHK. ring. Qed.

Lemma averaged : forall K p c (f d : nat -> R), (1 <= K)%nat -> 0 < p -> 0 <= f K ->
  (forall k, (k < K)%nat -> f (S k) <= (1 - p) * f k + c + d k) ->
  average K f <= (c + average K d) / p + f 0%nat / (p * INR K).
Proof.
  intros K p c f d k1 P N H. apply summed in H. rewrite upto_constant in H.
  assert (k0 : 0 < INR K) by (apply lt_0_INR; lia).
  assert (pk : 0 < p * INR K) by (apply Rmult_lt_0_compat; lra).
  unfold average. set (s := upto K f) in *. set (t := upto K d) in *.
  apply (Rmult_le_reg_r (p * INR K)); [exact pk|].
  replace (s / INR K * (p * INR K)) with (p * s) by (field; lra).
  replace (((c + t / INR K) / p + f 0%nat / (p * INR K)) * (p * INR K))
    with (INR K * c + t + f 0%nat) by (field; lra). lra.
Qed.

(** The same in the mean over a law. *)
Lemma averaged_in_the_mean : forall A (allowed : A -> Prop) K p c law (f d : A -> nat -> R),
  (1 <= K)%nat -> 0 < p -> law_of allowed law ->
  (forall r, allowed r -> 0 <= f r K /\
     forall k, (k < K)%nat -> f r (S k) <= (1 - p) * f r k + c + d r k) ->
  mean law (fun r => average K (f r))
  <= (c + mean law (fun r => average K (d r))) / p + mean law (fun r => f r 0%nat) / (p * INR K).
Proof.
  intros A allowed K p c law f d k1 P L H.
  assert (k0 : 0 < INR K) by (apply lt_0_INR; lia).
  apply Rle_trans with (mean law (fun r =>
    / (p * INR K) * f r 0%nat + (/ p * average K (d r) + c / p))).
  - apply (mean_le A allowed); [exact L|]. intros r I. destruct (H r I) as [N S].
    eapply Rle_trans; [exact (averaged K p c (f r) (d r) k1 P N S)|]. right. field. lra.
  - rewrite !mean_linear, (mean_constant A allowed) by exact L. right. field. lra.
Qed.

(** [drift.bfio-upper]: along a run, whatever the common growth and the departures,
    [Imb' <= (1-p) Imb + spacing + sum_g (X_g + max_h Y_h - B p delta)^+] at every step, and so
    [AvgImb <= (spacing + average of the last term) / p + Imb_0 / (p K)] over [K] steps. *)
Theorem two_size_recursion : forall G B K p x delta r,
  (1 <= G)%nat -> (1 <= K)%nat -> 0 < p <= 1 -> (1 <= delta)%Z ->
  runs G B K (of_two_sizes x delta) r ->
  (forall k, (k < K)%nat ->
     imb (r (S k)) <= (1 - p) * imb (r k) + IZR (spacing G delta)
                      + deviations B p x delta (r k)) /\
  average K (fun k => imb (r k))
  <= (IZR (spacing G delta) + average K (fun k => deviations B p x delta (r k))) / p
     + imb (r 0%nat) / (p * INR K).
Proof.
  intros G B K p x delta r g k1 P d H.
  assert (S : forall k, (k < K)%nat ->
    imb (r (S k)) <= (1 - p) * imb (r k) + IZR (spacing G delta)
                     + deviations B p x delta (r k)).
  { intros k I. apply (imb_step G B); [exact g| |lra|exact d|now apply (proj2 H)].
    apply (stays_full G B K _ r (two_sizes_fill G B x delta g) H). lia. }
  split; [exact S|]. apply averaged; auto; [lra|apply imb_nonnegative].
Qed.

(** [geometric.bfio-upper]: the same, and in the mean over any finite law of such runs; where the
    last term is in the mean at most [(G - 1) (s_max + 1) / 2], with [s_max] at least both sizes,
    the bound without the start is at most the paper's [(G - 1) s_max / p]. *)
Theorem two_size_average : forall G B K p x delta,
  (1 <= G)%nat -> (1 <= K)%nat -> 0 < p <= 1 -> (1 <= delta)%Z ->
  (forall r, runs G B K (of_two_sizes x delta) r ->
     (forall k, (k < K)%nat ->
        imb (r (S k)) <= (1 - p) * imb (r k) + IZR (spacing G delta)
                         + deviations B p x delta (r k)) /\
     average K (fun k => imb (r k))
     <= (IZR (spacing G delta) + average K (fun k => deviations B p x delta (r k))) / p
        + imb (r 0%nat) / (p * INR K)) /\
  (forall law, law_of (runs G B K (of_two_sizes x delta)) law ->
     mean law (fun r => average K (fun k => imb (r k)))
     <= (IZR (spacing G delta)
         + mean law (fun r => average K (fun k => deviations B p x delta (r k)))) / p
        + mean law (fun r => imb (r 0%nat)) / (p * INR K)) /\
  (forall s_max F, (1 <= x)%Z -> (x + delta <= s_max)%Z ->
     F <= (INR G - 1) * (IZR s_max + 1) / 2 ->
     (IZR (spacing G delta) + F) / p <= (INR G - 1) * IZR s_max / p).
Proof.
  intros G B K p x delta g k1 P d.
  assert (T := fun r => two_size_recursion G B K p x delta r g k1 P d).
  split; [exact T|]. split.
  - intros law L. apply (averaged_in_the_mean run _ K p _ law (fun r k => imb (r k))
      (fun r k => deviations B p x delta (r k)) k1 (proj1 P) L).
    intros r H. split; [apply imb_nonnegative|]. exact (proj1 (T r H)).
  - intros s_max F x1 S Q. apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|].
    assert (M : (2 * spacing G delta <= (Z.of_nat G - 1) * (s_max - 1))%Z).
    { pose proof (proj2 (spacing_is_even G delta g d)) as E.
      pose proof (Z.divide_pos_le _ (Z.of_nat G) ltac:(lia) (Z.gcd_divide_l _ delta)). nia. }
    apply IZR_le in M. rewrite !mult_IZR, !minus_IZR, <- INR_IZR_INZ in M. lra.
Qed.
